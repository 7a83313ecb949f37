# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# ReportFatalError doesn't report the last register
# tests: tdx_report_fatal_error_test
/^static int tdx_report_fatal_error\(/,/^}/ s/ndata = 16/ndata = 15/
