# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM doesn't know TDVMCALL<RDMSR>
# tests: tdx_ve_emulation_test
/^static __always_inline u32 tdcall_to_vmx_exit_reason\(/,/^}/ { /case EXIT_REASON_MSR_READ:/d; }
