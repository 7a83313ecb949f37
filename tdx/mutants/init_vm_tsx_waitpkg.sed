# file: arch/x86/kvm/vmx/tdx.c
# WAITPKG may be configured
# tests: tdx_init_vm_test
/^static bool tdx_unsupported_cpuid\(/,/^}/ s/ \|\| has_waitpkg\(entry\)//
