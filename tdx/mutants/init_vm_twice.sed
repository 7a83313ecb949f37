# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM works again until KVM_TDX_FINALIZE_VM
# tests: tdx_init_vm_test
/^static int tdx_td_init\(/,/^}/ s/kvm_tdx->state != TD_STATE_UNINITIALIZED/kvm_tdx->state == TD_STATE_RUNNABLE/
