# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION succeeds for a page that has already been added
# tests: tdx_initial_memory_test
/^int kvm_tdp_mmu_map_private_pfn\(/,/^}/ s/if \(r != RET_PF_FIXED\)/if (r != RET_PF_FIXED \&\& r != RET_PF_SPURIOUS)/
