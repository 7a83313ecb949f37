# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDVMCALL<HLT> ignores the high 32 bits of its operand
# tests: tdx_hlt_test
/^bool tdx_interrupt_allowed\(/,/^}/ s/!to_tdx/!(u32)to_tdx/
