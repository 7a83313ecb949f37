# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# ReportFatalError reports RDI in place of RSI
# tests: tdx_passthrough_test
/^static .*\btdx_report_fatal_error\(/,/^}/ s/enter_args\.rsi/enter_args.rdi/
