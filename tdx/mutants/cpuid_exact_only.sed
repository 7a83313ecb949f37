# file: arch/x86/kvm/vmx/tdx.c
# TDVMCALL<CPUID> doesn't redirect leaves out of range
# tests: tdx_cpuid_test
/^static int tdx_emulate_cpuid\(/,/^}/ s/&edx, false\)/\&edx, true)/
