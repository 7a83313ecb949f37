# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# vCPUs can be created after KVM_TDX_FINALIZE_VM
# tests: tdx_vcpu_init_test
/^int tdx_vcpu_create\(/,/^}/ s/kvm_tdx->state != TD_STATE_INITIALIZED/kvm_tdx->state == TD_STATE_UNINITIALIZED/
