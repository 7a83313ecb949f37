# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GET_CPUID doesn't say that an index is significant
# tests: tdx_get_cpuid_test
/^static int tdx_read_cpuid\(/,/^}/ s/sub_leaf_set \? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0/0/
