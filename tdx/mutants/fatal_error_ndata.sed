# file: arch/x86/kvm/vmx/tdx.c
# ReportFatalError keeps the last register from user space
# tests: tdx_report_fatal_error_test
/^static int tdx_report_fatal_error\(/,/^}/ s/ndata = 16/ndata = 15/
