# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# pages that a vCPU keeps at hand for the S-EPT are lost
# tests: tdx_given_back_test
/^static void mmu_free_memory_caches\(/,/^}/ { /mmu_external_spt_cache/d }
