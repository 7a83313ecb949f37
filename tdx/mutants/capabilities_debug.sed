# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES offers debuggable TDs
# tests: tdx_capabilities_test
s/^(#define KVM_SUPPORTED_TDX_TD_ATTRS).*/\1 (TDX_TD_ATTR_SEPT_VE_DISABLE | TDX_TD_ATTR_DEBUG)/
