# file: arch/x86/kvm/mmu/mmu_internal.h
# SPDX-License-Identifier: GPL-2.0
# KVM_EXIT_MEMORY_FAULT has the wrong size
# tests: tdx_memory_test
/kvm_mmu_prepare_memory_fault_exit\(/,/^}/ s/PAGE_SIZE/2 * &/
