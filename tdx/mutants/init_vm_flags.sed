# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM ignores its flags
# tests: tdx_init_vm_test
/^static int tdx_td_init\(/,/^}/ s/\(cmd->flags\)/(0)/
