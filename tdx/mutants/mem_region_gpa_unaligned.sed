# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a GPA within a page is taken for that of the page
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ s/!PAGE_ALIGNED\(region\.gpa\) \|\| //
