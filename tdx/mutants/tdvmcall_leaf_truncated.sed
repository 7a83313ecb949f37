# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# half of the leaf is enough to know an instruction
# tests: tdx_hypercall_test
/^static .*\btdcall_to_vmx_exit_reason\(/,/^}/ s/switch \(tdvmcall_leaf/switch ((u32)tdvmcall_leaf/
