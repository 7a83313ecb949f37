# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# a hole in a guest_memfd concerns its first memslot only
# tests: tdx_memslot_test tdx_memory_test
/^static void __kvm_gmem_invalidate_start\(/,/^}/ s/^\t\tflush \|= kvm_mmu_unmap_gfn_range\(kvm, &gfn_range\);/&\n\t\tbreak;/
