# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GetTdVmCallInfo of leaf 1 ignores user space's status
# tests: tdx_vmcall_info_test
/^static .*\btdx_complete_get_td_vm_call_info\(/,/^}/ s/vcpu->run->tdx\.get_tdvmcall_info\.ret/0/
