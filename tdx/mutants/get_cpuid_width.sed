# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_GET_CPUID returns a GPA width that is one bit too small
# tests: tdx_get_cpuid_test
/^static int tdx_read_cpuid\(/,/^}/ s/__ffs\(gpa_bits\) \+ 1/__ffs(gpa_bits)/
