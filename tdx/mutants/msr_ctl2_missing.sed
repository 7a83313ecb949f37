# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the MCi_CTL2 MSRs are not emulated
# tests: tdx_msr_test
/^bool tdx_has_emulated_msr\(/,/^}/ { /case MSR_IA32_MC0_CTL2 /d; }
