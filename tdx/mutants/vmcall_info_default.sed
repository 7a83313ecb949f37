# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GetTdVmCallInfo of leaf 1 is unsupported unless user space answers
# tests: tdx_vmcall_info_test
/^static .*\btdx_get_td_vm_call_info\(/,/^}/ s/(info\.ret = )TDVMCALL_STATUS_SUCCESS/\1TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED/
