# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# other processes can use a VM by its file descriptor
# tests: tdx_other_process_test
/^static long kvm_vm_ioctl\(/,/^}/ s/kvm->mm != current->mm \|\| //
