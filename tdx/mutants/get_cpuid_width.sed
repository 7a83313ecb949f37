# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GET_CPUID reports one bit less of GPA
# tests: tdx_get_cpuid_test
/^static int tdx_read_cpuid\(/,/^}/ s/__ffs\(gpa_bits\) \+ 1/__ffs(gpa_bits)/
