# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION sets SPTEs without mmu_lock
# race: init_mem_region_and_punch_hole_elsewhere
/^int kvm_tdp_mmu_map_private_pfn\(/,/^}/ { /guard\(read_lock\)/d }
