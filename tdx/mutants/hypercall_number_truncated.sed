# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# hypercalls ignore the high 32 bits of the number
# tests: tdx_hypercall_test
/^static .*\btdx_emulate_vmcall\(/,/^}/ s/(rax_write_raw\(vcpu, )/\1(u32)/
