# file: arch/x86/kvm/mmu/tdp_mmu.c
# SPDX-License-Identifier: GPL-2.0
# a private SPTE is set before the module has its page
# invisible: another vCPU faults once more, and zaps wait for mmu_lock
/^static inline int __must_check tdp_mmu_set_spte_atomic\(/,/^}/ s/__tdp_mmu_set_spte_atomic\(kvm, iter, FROZEN_SPTE\)/__tdp_mmu_set_spte_atomic(kvm, iter, new_spte)/
