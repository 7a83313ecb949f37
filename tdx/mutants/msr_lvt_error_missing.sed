# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the x2APIC's LVT error register is not emulated
# tests: tdx_msr_x2apic_test
/^bool tdx_has_emulated_msr\(/,/^}/ { /case X2APIC_MSR\(APIC_LVTERR\):/d; }
