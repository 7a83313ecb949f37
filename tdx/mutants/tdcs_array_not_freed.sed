# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the array of the TDCS's pages is never freed
# invisible: some bytes of slab for each TD, which only kmemleak counts, with DEBUG=kmemleak
/^static void tdx_reclaim_td_control_pages\(/,/^}/ { /kfree\(kvm_tdx->td\.tdcs_pages\);/d }
