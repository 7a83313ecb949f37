# file: arch/x86/kvm/vmx/tdx.c
# the attributes that user space chose are dropped
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/td_params->attributes = init_vm->attributes \|/td_params->attributes =/
