# file: arch/x86/kvm/vmx/tdx.c
# KVM_TDX_GET_CPUID reports one bit less than GPAs have
# tests: tdx_init_vm_test
/^static int tdx_read_cpuid\(/,/^}/ s/__ffs\(gpa_bits\) \+ 1/__ffs(gpa_bits)/
