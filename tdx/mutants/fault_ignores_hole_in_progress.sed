# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# a fault sets the SPTE of a page that is just being taken away
# race: accept_and_punch_hole
/^static bool is_page_fault_stale\(/,/^}/ s/mmu_invalidate_retry_gfn\(vcpu->kvm, fault->mmu_seq, fault->gfn\)/vcpu->kvm->mmu_invalidate_seq != fault->mmu_seq/
