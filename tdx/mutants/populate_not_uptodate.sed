# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# a private page that was added is not marked as filled
# invisible: the next fault clears the page before the guest accepts it, which clears it, too
/^static long __kvm_gmem_populate\(/,/^}/ s/folio_mark_uptodate\(folio\);/;/
