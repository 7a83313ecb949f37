# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM accepts a steal time area, which would be in private memory
# tests: tdx_msr_test
/^bool tdx_has_emulated_msr\(/,/^}/ s/case MSR_KVM_POLL_CONTROL:/case MSR_KVM_STEAL_TIME: case MSR_KVM_POLL_CONTROL:/
