# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a private page's fault is retried though a signal is pending
# case: tdx_memory_race_test running.signal_ends_fault
# inject: TDH.MEM.PAGE.AUG:OPERAND_BUSY@1-100000000
/^static int tdx_handle_ept_violation\(/,/^}/ s/ \|\| signal_pending\(current\)//
