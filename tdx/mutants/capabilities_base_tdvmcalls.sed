# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES lists GetQuote, which every KVM has, as before 6.16
# tests: tdx_capabilities_test
/^static int init_kvm_tdx_caps\(/,/^}/ s/(TDVMCALLINFO_SETUP_EVENT_NOTIFY_INTERRUPT);/BIT(0) | \1;/
