# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the width of GPAs is not shown as configurable
# tests: tdx_capabilities_test
/^static void td_init_cpuid_entry2\(/,/^}/ s/, 0xff\)/, 0)/
