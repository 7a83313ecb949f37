# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_GET_CPUID needs room for one entry too many
# tests: tdx_get_cpuid_test
/^static int tdx_vcpu_get_cpuid\(/,/^}/ s/td_cpuid->nent < i\)/td_cpuid->nent <= i)/
