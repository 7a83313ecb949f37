# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM ignores the high 32 bits of the leaf of an instruction's TDVMCALL
# tests: tdx_hypercall_test
/^static .*\btdcall_to_vmx_exit_reason\(/,/^}/ s/switch \(tdvmcall_leaf/switch ((u32)tdvmcall_leaf/
