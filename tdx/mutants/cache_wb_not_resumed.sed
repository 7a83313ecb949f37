# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# an interrupted TDH.PHYMEM.CACHE.WB begins anew instead of being resumed
# invisible: the module begins anew, and comes to the same end later
/^static void smp_func_do_phymem_cache_wb\(/,/^}/ s/resume = !!err;/resume = false;/
