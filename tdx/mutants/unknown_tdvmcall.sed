# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# unknown TDVMCALLs return INVALID_OPERAND
# tests: tdx_hypercall_test
/^static .*\bhandle_tdvmcall\(/,/^}/ s/STATUS_SUBFUNC_UNSUPPORTED/STATUS_INVALID_OPERAND/
