# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# a signal makes a request for memory fail in another way
# tests: tdx_mem_region_test
/^int kvm_tdp_mmu_map_private_pfn\(/,/^}/ s/return -EINTR;/return -EAGAIN;/
