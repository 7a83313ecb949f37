# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDVMCALL<CPUID> doesn't redirect leaves that are out of range
# tests: tdx_cpuid_test
/^static int tdx_emulate_cpuid\(/,/^}/ s/&edx, false\)/\&edx, true)/
