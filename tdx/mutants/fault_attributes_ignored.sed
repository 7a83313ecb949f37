# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# faults ignore whether a page is private
# tests: tdx_conversion_test
/^static int kvm_mmu_faultin_pfn\(/,/^}/ s/fault->is_private != kvm_mem_is_private\(kvm, fault->gfn\)/false/
