# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_GET_CPUID returns only the first subleaf of a leaf
# tests: tdx_get_cpuid_test
/^static int tdx_vcpu_get_cpuid_leaf\(/,/^}/ s/while \(1\) \{/while (sub_leaf < 1) {/
