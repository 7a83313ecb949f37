# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDH.VP.INIT is called without mmu_lock, so memory may be removed meanwhile
# case: tdx_parallel_test race.init_vcpu_and_punch_hole.is_serializable
# inject: TDH.VP.INIT:lingers@2+TDH.VP.INIT:lingers@4+TDH.MEM.RANGE.BLOCK:lingers@1+TDH.MEM.RANGE.BLOCK:lingers@9
/^static int tdx_td_vcpu_init\(/,/^}/ s/scoped_guard\(write_lock, &vcpu->kvm->mmu_lock\) \{/{/
