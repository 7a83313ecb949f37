# file: arch/x86/kvm/x86.c
# guest_memfd may start out shared in a TD
# tests: tdx_memory_test
/^bool kvm_arch_supports_gmem_init_shared\(/,/^}/ s/return .*;/return true;/
