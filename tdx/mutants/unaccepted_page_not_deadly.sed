# file: arch/x86/kvm/vmx/tdx.c
# the TD lives on after an access to a page that it has not accepted
# tests: tdx_exits_test
/^static int tdx_handle_ept_violation\(/,/^}/ s/kvm_vm_dead\(vcpu->kvm\);//
