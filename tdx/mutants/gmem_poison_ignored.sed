# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# KVM gives a poisoned page to the guest
# tests: tdx_poisoned_page_test
/^static struct folio \*__kvm_gmem_get_pfn\(/,/^}/ s/if \(folio_test_hwpoison\(folio\)\)/if (0)/
