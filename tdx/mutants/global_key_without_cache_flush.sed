# file: arch/x86/virt/vmx/tdx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the caches are not flushed before the module gets its key
# invisible: the box has no caches
/^static __init int config_global_keyid\(/,/^}/ { /wbinvd_on_all_cpus/d }
