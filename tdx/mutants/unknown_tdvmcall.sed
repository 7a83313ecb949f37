# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# unknown TDVMCALLs have a bad operand
# tests: tdx_hypercall_test
/^static .*\bhandle_tdvmcall\(/,/^}/ s/STATUS_SUBFUNC_UNSUPPORTED/STATUS_INVALID_OPERAND/
