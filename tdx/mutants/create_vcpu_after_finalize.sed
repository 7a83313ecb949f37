# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU may join a TD that is final
# tests: tdx_vcpu_init_test
/^int tdx_vcpu_create\(/,/^}/ s/kvm_tdx->state != TD_STATE_INITIALIZED/kvm_tdx->state == TD_STATE_UNINITIALIZED/
