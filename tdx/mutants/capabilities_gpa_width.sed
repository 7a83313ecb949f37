# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES doesn't offer the width of GPAs
# tests: tdx_capabilities_test
/^static void td_init_cpuid_entry2\(/,/^}/ s/, 0xff\)/, 0)/
