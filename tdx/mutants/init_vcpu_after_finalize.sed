# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# vCPU commands reach the TDX module after KVM_TDX_FINALIZE_VM
# tests: tdx_vcpu_init_test
/^int tdx_vcpu_unlocked_ioctl\(/,/^}/ s/ \|\| kvm_tdx->state == TD_STATE_RUNNABLE//
