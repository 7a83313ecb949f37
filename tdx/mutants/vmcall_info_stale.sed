# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GetTdVmCallInfo of leaf 1 doesn't clear its first result in kvm_run
# tests: tdx_vmcall_info_test
/^static .*\btdx_get_td_vm_call_info\(/,/^}/ {
/info\.r11 = 0/d
}
