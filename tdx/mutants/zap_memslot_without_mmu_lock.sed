# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# a memslot is zapped without mmu_lock
# race: punch_hole_and_memslot_deletion accept_pending_and_memslot_deletion
/^void kvm_arch_flush_shadow_memslot\(/,/^}/ { /write_(un)?lock\(&kvm->mmu_lock\)/d }
