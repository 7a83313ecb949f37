# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# a hole in a guest_memfd begins at the wrong page of its memslot
# tests: tdx_memslot_test tdx_memory_test
/^static void __kvm_gmem_invalidate_start\(/,/^}/ s/max\(pgoff, start\) - pgoff,/max(pgoff, start),/
