# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# a fault sets SPTEs without mmu_lock
# race: accept_and_punch_hole accept_twice_and_punch_hole
/^static int kvm_tdp_mmu_page_fault\(/,/^}/ { /read_(un)?lock\(&vcpu->kvm->mmu_lock\)/d }
