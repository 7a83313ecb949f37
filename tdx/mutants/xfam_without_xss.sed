# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# no XFAM bits of XSS are announced
# invisible: the box's kernel uses nothing of XSS, so there is nothing to leave out
/^static u64 tdx_get_supported_xfam\(/,/^}/ s/ \| kvm_caps\.supported_xss//
