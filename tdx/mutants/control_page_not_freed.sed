# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# pages of the TDCS and of vCPUs are reclaimed but never freed
# tests: tdx_given_back_test
/^static void tdx_reclaim_control_page\(/,/^}/ { /__free_page/d }
