# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host can write a TD's APIC_BASE
# tests: tdx_msr_test
/^static bool tdx_is_read_only_msr\(/,/^}/ s/index == MSR_IA32_APICBASE/false/
