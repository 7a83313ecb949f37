# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GetQuote accepts a private buffer
# tests: tdx_get_quote_test
/^static .*\btdx_get_quote\(/,/^}/ s/if \(vt_is_tdx_private_gpa/if (0 \&\& vt_is_tdx_private_gpa/
