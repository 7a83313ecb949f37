# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_SET_TSC_KHZ works on a TD with vCPUs (fixed in 6.17)
# tests: tdx_protected_state_test
/^int kvm_arch_vm_ioctl\(/,/^}/ { /case KVM_SET_TSC_KHZ/,/case KVM_GET_TSC_KHZ/ s/!kvm->created_vcpus/true/; }
