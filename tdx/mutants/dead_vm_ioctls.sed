# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# a dead VM still takes ioctls
# tests: tdx_dead_vm_test
/^static long kvm_vm_ioctl\(/,/^}/ s/ \|\| kvm->vm_dead//
