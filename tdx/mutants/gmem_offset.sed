# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# punching a hole ignores the memslot's offset in guest_memfd
# tests: tdx_memslot_test
/^static void __kvm_gmem_invalidate_start\(/,/^}/ s/pgoff_t pgoff = slot->gmem.pgoff/pgoff_t pgoff = 0/
