# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# other processes can use a vCPU by its file descriptor
# tests: tdx_other_process_test
/^static long kvm_vcpu_ioctl\(/,/^}/ s/vcpu->kvm->mm != current->mm \|\| //
