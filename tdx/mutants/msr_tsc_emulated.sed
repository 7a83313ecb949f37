# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM emulates a TD's TSC
# tests: tdx_msr_test
/^bool tdx_has_emulated_msr\(/,/^}/ s/case MSR_IA32_UCODE_REV:/case MSR_IA32_TSC: case MSR_IA32_UCODE_REV:/
