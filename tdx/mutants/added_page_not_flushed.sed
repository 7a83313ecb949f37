# file: arch/x86/virt/vmx/tdx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a page's cache lines aren't flushed before it is given to the module
# invisible: the box has no caches, and most CPUs don't need it
/^static void tdx_clflush_page\(/,/^}/ { /clflush_cache_range/d }
