# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KeyIDs are never freed
# tests: tdx_limits_test
/^static inline void tdx_hkid_free\(/,/^}/ { /tdx_guest_keyid_free/d }
