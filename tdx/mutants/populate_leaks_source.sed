# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# the source page of KVM_TDX_INIT_MEM_REGION is never given back
# tests: tdx_given_back_test
/^long kvm_gmem_populate\(/,/^}/ s/put_page\(src_page\);/;/
