# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# no XFAM bits of XSS are announced
/^static u64 tdx_get_supported_xfam\(/,/^}/ s/ \| kvm_caps\.supported_xss//
