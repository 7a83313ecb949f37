# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_SET_TSC_KHZ works on a TD's vCPU (fixed in 6.16)
# tests: tdx_protected_state_test
/^long kvm_arch_vcpu_ioctl\(/,/^}/ s/vcpu->arch.guest_tsc_protected/false/
