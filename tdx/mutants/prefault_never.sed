# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_PRE_FAULT_MEMORY is never allowed for a TD
# tests: tdx_prefault_test
/^static int tdx_td_finalize\(/,/^}/ s/pre_fault_allowed = true/pre_fault_allowed = false/
