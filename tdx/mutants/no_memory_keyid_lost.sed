# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD that gets no page for its TDR keeps its KeyID
# tests: tdx_no_memory_test
/^static int __tdx_td_init\(/,/^}/ { /if \(!tdr_page\)/ { n; s/goto free_hkid;/return ret;/; }; }
