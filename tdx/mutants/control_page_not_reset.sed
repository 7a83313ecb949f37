# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD's control pages are not reset when it ends, as CPUs with an erratum want it
# tests: tdx_lifecycle_test
# profile: 1.5.06,erratum
/^static int tdx_reclaim_page\(/,/^}/ s/tdx_quirk_reset_paddr\(page_to_phys\(page\), PAGE_SIZE\);/;/
