# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION goes on for a dead VM
# needs: schedule
/^int kvm_tdp_mmu_map_private_pfn\(/,/^}/ s/kvm_test_request\(KVM_REQ_VM_DEAD, vcpu\)/0/
