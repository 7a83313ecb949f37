# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# KVM_PRE_FAULT_MEMORY maps shared memory without the shared bit (fixed in 6.16)
# tests: tdx_prefault_test
/^long kvm_arch_vcpu_pre_fault_memory\(/,/^}/ s/direct_bits = gfn_to_gpa\(.*/direct_bits = 0;/
