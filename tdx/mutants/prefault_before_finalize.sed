# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# KVM_PRE_FAULT_MEMORY works before KVM_TDX_FINALIZE_VM
# tests: tdx_prefault_test
/^long kvm_arch_vcpu_pre_fault_memory\(/,/^}/ s/!vcpu->kvm->arch.pre_fault_allowed/false/
