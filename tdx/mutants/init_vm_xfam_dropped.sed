# file: arch/x86/kvm/vmx/tdx.c
# INIT_VM drops XFAM
# tests: tdx_cpuid_map_test
/^static int setup_tdparams\(/,/^}/ s/= init_vm->xfam \| td_conf/= td_conf/
