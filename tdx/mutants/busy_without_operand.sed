# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a lock that was found taken is an error if the module says which one
/^static bool tdx_operand_busy\(/,/^}/ s/\(err & TDX_SEAMCALL_STATUS_MASK\)/err/
