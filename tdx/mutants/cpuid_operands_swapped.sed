# file: arch/x86/kvm/vmx/tdx.c
# TDVMCALL<CPUID> swaps EBX and ECX
# tests: tdx_cpuid_test
/^static int tdx_emulate_cpuid\(/,/^}/ { s/args.r13 = ebx/args.r13 = ecx/; s/args.r14 = ecx/args.r14 = ebx/; }
