# file: arch/x86/kvm/x86.c
# a guest_memfd of a TD may start as shared memory
# tests: tdx_capabilities_test
/^bool kvm_arch_supports_gmem_init_shared\(/,/^}/ s/return .*;/return true;/
