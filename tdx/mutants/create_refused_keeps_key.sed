# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the KeyID is kept if TDH.MNG.CREATE fails
/^static int __tdx_td_init\(/,/^}/ { /^free_hkid:/,/^}/ { /tdx_hkid_free/d } }
