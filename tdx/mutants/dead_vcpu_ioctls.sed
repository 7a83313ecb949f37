# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# vCPUs of a dead VM still take ioctls
# tests: tdx_dead_vm_test
/^static long kvm_vcpu_ioctl\(/,/^}/ s/ \|\| vcpu->kvm->vm_dead//
