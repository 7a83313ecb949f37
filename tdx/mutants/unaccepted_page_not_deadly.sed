# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the TD lives on after an access to a page that it has not accepted
# tests: tdx_dead_vm_test
/^static int tdx_handle_ept_violation\(/,/^}/ s/kvm_vm_dead\(vcpu->kvm\);//
