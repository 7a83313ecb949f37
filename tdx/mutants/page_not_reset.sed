# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a private page that is removed is not reset, as CPUs with an erratum want it
# tests: tdx_memory_test
# profile: 1.5.06,erratum
/^static int tdx_sept_remove_leaf_spte\(/,/^}/ { /tdx_quirk_reset_paddr\(/d }
