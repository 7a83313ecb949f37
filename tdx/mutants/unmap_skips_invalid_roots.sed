# file: arch/x86/kvm/mmu/tdp_mmu.c
# SPDX-License-Identifier: GPL-2.0
# memory that is unmapped stays in roots that are about to go
# needs: schedule
/^bool kvm_tdp_mmu_unmap_gfn_range\(/,/^}/ s/ \| KVM_INVALID_ROOTS//
