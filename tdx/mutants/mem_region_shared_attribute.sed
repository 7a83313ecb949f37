# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# memory that user space has not made private is added
# tests: tdx_mem_region_test
/^static long __kvm_gmem_populate\(/,/^}/ s/if \(!kvm_range_has/if (0 \&\& !kvm_range_has/
