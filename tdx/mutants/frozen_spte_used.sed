# file: arch/x86/kvm/mmu/tdp_mmu.c
# SPDX-License-Identifier: GPL-2.0
# a fault doesn't care for a SPTE that another vCPU is about to set
# race: accept_twice accept_and_pre_fault
/^int kvm_tdp_mmu_map\(/,/^}/ s/if \(is_frozen_spte\(iter\.old_spte\)\)/if (0)/
