# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the TDR's page is remembered though it was freed if TDH.MNG.CREATE fails
# where: inject
/^static int __tdx_td_init\(/,/^}/ { /^free_tdr:/,/^}/ { /tdr_page = NULL;/d } }
