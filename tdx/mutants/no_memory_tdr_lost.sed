# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD that gets no pages for its TDCS leaves the one for its TDR allocated
# tests: tdx_no_memory_test
/^static int __tdx_td_init\(/,/^}/ { /if \(tdr_page\)/ { n; s/__free_page\(tdr_page\);/;/; }; }
