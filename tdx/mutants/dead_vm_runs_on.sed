# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# a running vCPU doesn't notice that its VM is dead
# tests: tdx_dead_vm_test
/^static int vcpu_enter_guest\(/,/^}/ s/if \(kvm_test_request\(KVM_REQ_VM_DEAD, vcpu\)\)/if (0)/
