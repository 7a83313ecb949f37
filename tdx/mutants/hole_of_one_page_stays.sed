# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# the last page of a hole in a guest_memfd stays mapped if there are more
# tests: tdx_memslot_test tdx_memory_test
/^static void __kvm_gmem_invalidate_start\(/,/^}/ s/, end\) - pgoff,/, end) - pgoff - (end - start > 1),/
