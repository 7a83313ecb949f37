# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# the last page of a deleted memslot stays bound to its guest_memfd
# tests: tdx_memslot_test
/^void kvm_gmem_unbind\(/,/^}/ s/start, end - 1, NULL/start, end - 2, NULL/
