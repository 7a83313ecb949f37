# file: arch/x86/kvm/vmx/tdx.c
# bus locks stay with KVM
# tests: tdx_exits_test
/^int tdx_handle_exit\(/,/^}/ s/ret = 0;//
