# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the page of the TDR is not reset on CPUs with the erratum
# where: erratum
/^static void tdx_reclaim_td_control_pages\(/,/^}/ { /tdx_quirk_reset_paddr/d }
