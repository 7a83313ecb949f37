# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# KVM_PRE_FAULT_MEMORY accepts a GPA with the shared bit (fixed in 6.16)
# tests: tdx_prefault_test
/^long kvm_arch_vcpu_pre_fault_memory\(/,/^}/ s/kvm_is_gfn_alias\(/false \&\& &/
