# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# of HLT's operand only the low half counts
# tests: tdx_hlt_test
/^bool tdx_interrupt_allowed\(/,/^}/ s/!to_tdx/!(u32)to_tdx/
