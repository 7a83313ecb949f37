# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_RUN succeeds after access to an unaccepted page
# tests: tdx_dead_vm_test
/kvm_vm_dead\(vcpu->kvm\);/,/}/ s/return -EIO;/return 0;/
