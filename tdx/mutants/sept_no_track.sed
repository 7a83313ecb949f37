# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# private pages are removed without TLB tracking
# tests: tdx_memory_race_test
/^static int tdx_sept_remove_leaf_spte\(/,/^}/ s/tdx_track\(kvm\);/if (0) &/
