# file: arch/x86/virt/vmx/tdx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a CPU that goes offline doesn't write its caches back
# invisible: the box has no caches
/^static int tdx_offline_cpu\(/,/^}/ { /tdx_cpu_flush_cache\(\)/d }
