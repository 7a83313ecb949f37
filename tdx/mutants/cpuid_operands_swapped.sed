# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDVMCALL<CPUID> swaps EBX and ECX
# tests: tdx_cpuid_test
/^static int tdx_emulate_cpuid\(/,/^}/ { s/args.r13 = ebx/args.r13 = ecx/; s/args.r14 = ecx/args.r14 = ebx/; }
