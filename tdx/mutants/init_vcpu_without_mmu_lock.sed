# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDH.VP.INIT is called without mmu_lock, so memory may be removed meanwhile
# tests: tdx_memory_race_test tdx_parallel_test
/^static int tdx_td_vcpu_init\(/,/^}/ s/scoped_guard\(write_lock, &vcpu->kvm->mmu_lock\) \{/{/
