# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_GET_FPU silently does nothing on a TD's vCPU
# tests: tdx_protected_state_test
/^int kvm_arch_vcpu_ioctl_get_fpu\(/,/^}/ s/vcpu->kvm->arch.has_protected_state/false/
