# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION doesn't keep holes from being punched, even while it measures
# case: tdx_memory_race_test building.punch_hole_and_measure
# inject: TDH.MR.EXTEND:lingers@1
/^static long __kvm_gmem_populate\(/,/^}/ { /filemap_invalidate_(un)?lock\(/d }
