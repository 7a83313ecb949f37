# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a private page's fault is retried though the VM is dead
# needs: schedule
/^static int tdx_handle_ept_violation\(/,/^}/ s/kvm_test_request\(KVM_REQ_VM_DEAD, vcpu\)/0/
