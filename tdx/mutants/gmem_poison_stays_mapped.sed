# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# KVM leaves a private page mapped when it is poisoned
# tests: tdx_poisoned_page_test
/^static int kvm_gmem_error_folio\(/,/^}/ { /kvm_gmem_invalidate_start\(/d; /kvm_gmem_invalidate_end\(/d; }
