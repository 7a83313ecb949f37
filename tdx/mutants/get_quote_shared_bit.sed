# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GetQuote passes the shared bit to user space
# tests: tdx_get_quote_test
/^static .*\btdx_get_quote\(/,/^}/ s/(get_quote\.gpa = gpa) .*/\1;/
