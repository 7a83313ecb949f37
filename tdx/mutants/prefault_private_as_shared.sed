# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# KVM_PRE_FAULT_MEMORY takes private memory for shared
# tests: tdx_prefault_test
/^long kvm_arch_vcpu_pre_fault_memory\(/,/^}/ s/kvm_arch_has_private_mem\(vcpu->kvm\) &&/0 \&\&/
