# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDVMCALL<CPUID> ignores the subleaf
# tests: tdx_cpuid_test
/^static int tdx_emulate_cpuid\(/,/^}/ s/ecx = tdx->vp_enter_args.r13/ecx = 0/
