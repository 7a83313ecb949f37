# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_RUN works before KVM_TDX_FINALIZE_VM
# tests: tdx_finalize_test
/^bool tdx_vcpu_needs_initialization\(/,/^}/ s/to_kvm_tdx\(vcpu->kvm\)->state != TD_STATE_RUNNABLE/false/
