# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# memory of a TD is never prefaulted
# tests: tdx_prefault_test
/^static int tdx_td_finalize\(/,/^}/ s/pre_fault_allowed = true/pre_fault_allowed = false/
