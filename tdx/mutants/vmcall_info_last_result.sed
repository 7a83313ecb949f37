# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GetTdVmCallInfo of leaf 1 returns the last result but one as the last
# tests: tdx_vmcall_info_test
/^static .*\btdx_complete_get_td_vm_call_info\(/,/^}/ s/info\.r14/info.r13/
