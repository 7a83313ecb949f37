# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_SET_XSAVE silently does nothing on a TD's vCPU
# tests: tdx_protected_state_test
/^static int kvm_vcpu_ioctl_x86_set_xsave\(/,/^}/ s/vcpu->kvm->arch.has_protected_state/false/
