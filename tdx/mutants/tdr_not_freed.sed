# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the page of the TDR is reclaimed but never freed
# tests: tdx_given_back_test
/^static void tdx_reclaim_td_control_pages\(/,/^}/ { /__free_page\(kvm_tdx->td\.tdr_page\);/d }
