# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GetQuote passes the size to user space in pages
# tests: tdx_get_quote_test
/^static .*\btdx_get_quote\(/,/^}/ s/(get_quote\.size = size)/\1 \/ PAGE_SIZE/
