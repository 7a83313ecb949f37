# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a private page that is removed stays in the cache under the TD's KeyID
# tests: tdx_memory_test
/^static int tdx_sept_remove_leaf_spte\(/,/^}/ s/err = tdh_phymem_page_wbinvd_hkid\(.*\);/err = 0;/
