# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# an interrupted TDH.PHYMEM.CACHE.WB is taken for an error
# where: inject
/^static void smp_func_do_phymem_cache_wb\(/,/^}/ s/continue;/goto out;/
