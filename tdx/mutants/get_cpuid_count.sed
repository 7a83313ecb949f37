# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_GET_CPUID doesn't return the number of entries when there is no room for them
# tests: tdx_get_cpuid_test
/^static int tdx_vcpu_get_cpuid\(/,/^}/ s/^\ttd_cpuid->nent = i;/\tif (!r)\n\t\ttd_cpuid->nent = i;/
