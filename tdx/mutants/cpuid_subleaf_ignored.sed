# file: arch/x86/kvm/vmx/tdx.c
# TDVMCALL<CPUID> ignores the subleaf
# tests: tdx_cpuid_test
/^static int tdx_emulate_cpuid\(/,/^}/ s/ecx = tdx->vp_enter_args.r13/ecx = 0/
