# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_GET_CPUID swaps ECX and EDX
# tests: tdx_cpuid_test
/^static int tdx_read_cpuid\(/,/^}/ { s/out->ecx = \(u32\) edx_ecx;/out->ecx = (u32) (edx_ecx >> 32);/; s/out->edx = \(u32\) \(edx_ecx >> 32\);/out->edx = (u32) edx_ecx;/; }
