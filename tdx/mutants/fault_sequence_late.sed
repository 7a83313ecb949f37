# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# changes of memory while a fault looks for its page are not noticed
# race: accept_and_punch_hole
/^static int kvm_mmu_faultin_pfn\(/,/^}/ s/^\tfault->mmu_seq = .*$/\tfault->mmu_seq = 0;/
