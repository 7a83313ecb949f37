# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# prefaulting doesn't return while the memslot is being deleted (fixed in 6.18)
# tests: tdx_prefault_test
/^static int kvm_mmu_faultin_pfn\(/,/^}/ s/if \(fault->prefetch\)/if (false)/
