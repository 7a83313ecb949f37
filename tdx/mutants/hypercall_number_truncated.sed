# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the number of a hypercall has 32 bits
# tests: tdx_hypercall_test
/^static .*\btdx_emulate_vmcall\(/,/^}/ s/(rax_write_raw\(vcpu, )/\1(u32)/
