# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION returns EAGAIN for a signal instead of EINTR
# tests: tdx_mem_region_test
/^int kvm_tdp_mmu_map_private_pfn\(/,/^}/ s/return -EINTR;/return -EAGAIN;/
