# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# a fault sets the SPTE of a page that was taken away meanwhile
# race: accept_and_punch_hole accept_and_conversion
/^static int kvm_tdp_mmu_page_fault\(/,/^}/ s/if \(is_page_fault_stale\(vcpu, fault\)\)/if (0)/
