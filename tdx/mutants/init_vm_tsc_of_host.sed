# file: arch/x86/kvm/vmx/tdx.c
# a TD always gets the TSC frequency of the host
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/kvm->arch\.default_tsc_khz/tsc_khz/
