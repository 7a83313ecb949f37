# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# leaf 0 leaves one of its results as the guest had it
# tests: tdx_vmcall_info_test
/^static .*\btdx_get_td_vm_call_info\(/,/^}/ {
/enter_args\.r13 = 0/d
}
