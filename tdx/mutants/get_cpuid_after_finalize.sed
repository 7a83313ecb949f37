# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_GET_CPUID works after KVM_TDX_FINALIZE_VM; two functions check for that
# tests: tdx_vcpu_init_test
/^int tdx_vcpu_ioctl\(/,/^}/ s/ \|\| kvm_tdx->state == TD_STATE_RUNNABLE//
/^int tdx_vcpu_unlocked_ioctl\(/,/^}/ s/ \|\| kvm_tdx->state == TD_STATE_RUNNABLE/ || (cmd.id != KVM_TDX_GET_CPUID \&\& kvm_tdx->state == TD_STATE_RUNNABLE)/
