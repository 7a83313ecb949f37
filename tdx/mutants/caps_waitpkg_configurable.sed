# file: arch/x86/kvm/vmx/tdx.c
# a TD may have WAITPKG
# tests: tdx_init_vm_test
/^static bool has_waitpkg\(/,/^}/ s/entry->function == 7/entry->function == 8/
