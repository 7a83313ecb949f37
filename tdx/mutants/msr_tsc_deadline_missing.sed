# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the TSC deadline MSR is not emulated
# tests: tdx_msr_x2apic_test
/^bool tdx_has_emulated_msr\(/,/^}/ { /case MSR_IA32_TSC_DEADLINE:/d; }
