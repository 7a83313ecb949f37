# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# memory of a guest_memfd that was closed stays mapped
# tests: tdx_memslot_test
/^static int kvm_gmem_release\(/,/^}/ s/__kvm_gmem_invalidate_start\(f, 0, -1ul,/if (0) &/
