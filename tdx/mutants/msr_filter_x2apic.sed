# file: arch/x86/kvm/msrs.c
# SPDX-License-Identifier: GPL-2.0
# the filter also applies to x2APIC MSRs
# tests: tdx_msr_filter_test
/^bool kvm_msr_allowed\(/,/^}/ s/if \(index >= 0x800 && index <= 0x8ff\)/if (false)/
