# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# an exit with a bus lock lacks its flag in kvm_run
# tests: tdx_exits_test
/^int tdx_handle_exit\(/,/^}/ s/\|= KVM_RUN_X86_BUS_LOCK/|= 0/
