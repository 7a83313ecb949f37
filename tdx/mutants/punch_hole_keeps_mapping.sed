# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# punching a hole in guest_memfd doesn't zap the private mapping
# tests: tdx_memory_test
/^static enum kvm_gfn_range_filter kvm_gmem_get_invalidate_filter\(/,/^}/ s/KVM_FILTER_PRIVATE/KVM_FILTER_SHARED/
