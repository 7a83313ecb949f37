# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# a hole does not wait for a page that is being added
# race: measure_and_punch_hole. init_mem_region_and_punch_hole.
/^static long kvm_gmem_punch_hole\(/,/^}/ { /filemap_invalidate_(un)?lock\(/d }
