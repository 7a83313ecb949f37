# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# XFAM bits that the module refuses are announced
# tests: tdx_capabilities_test tdx_init_vm_test
# where: other
/^static u64 tdx_get_supported_xfam\(/,/^}/ { /val &= td_conf->xfam_fixed0;/d }
