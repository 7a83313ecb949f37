# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GetTdVmCallInfo of leaf 0 doesn't clear one of its results
# tests: tdx_vmcall_info_test
/^static .*\btdx_get_td_vm_call_info\(/,/^}/ {
/enter_args\.r13 = 0/d
}
