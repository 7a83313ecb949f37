# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_GET_CPUID doesn't flag the index as significant
# tests: tdx_get_cpuid_test
/^static int tdx_read_cpuid\(/,/^}/ s/sub_leaf_set \? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0/0/
