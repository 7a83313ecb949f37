# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU that the module has given up counts as one that exited
# tests: tdx_shutdown_test
/^static int __tdx_handle_exit\(/,/^}/ s/\(TDX_ERROR \| TDX_NON_RECOVERABLE\)/TDX_ERROR/
