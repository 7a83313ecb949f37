# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# a VM obeys every process that has its file descriptor
# tests: tdx_other_process_test
/^static long kvm_vm_ioctl\(/,/^}/ s/kvm->mm != current->mm \|\| //
