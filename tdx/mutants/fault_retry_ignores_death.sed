# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a private page's fault is retried though the VM is dead
# case: tdx_dead_vm_test dead.other_vcpu_that_faults
# inject: TDH.MEM.PAGE.AUG:OPERAND_BUSY@2-1000000000
/^static int tdx_handle_ept_violation\(/,/^}/ s/kvm_test_request\(KVM_REQ_VM_DEAD, vcpu\)/0/
