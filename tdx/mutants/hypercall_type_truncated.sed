# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM ignores the high 32 bits of a TDVMCALL's type
# tests: tdx_hypercall_test
/^static .*\btdx_to_vmx_exit_reason\(/,/^}/ s/if \(tdvmcall_exit_type/if ((u32)tdvmcall_exit_type/
