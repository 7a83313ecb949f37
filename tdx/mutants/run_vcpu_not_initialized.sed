# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_RUN works without KVM_TDX_INIT_VCPU
# tests: tdx_vcpu_init_test
/^bool tdx_vcpu_needs_initialization\(/,/^}/ s/to_tdx\(vcpu\)->state != VCPU_TD_STATE_INITIALIZED/false/
