# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM emulates the TPR, which it doesn't have
# tests: tdx_msr_x2apic_test
/^bool tdx_has_emulated_msr\(/,/^}/ s/case X2APIC_MSR\(APIC_SPIV\):/case X2APIC_MSR(APIC_TASKPRI): case X2APIC_MSR(APIC_SPIV):/
