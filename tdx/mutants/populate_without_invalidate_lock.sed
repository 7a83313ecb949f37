# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION doesn't keep holes from being punched, even while it measures
# tests: tdx_memory_race_test tdx_parallel_test
/^static long __kvm_gmem_populate\(/,/^}/ { /filemap_invalidate_(un)?lock\(/d }
