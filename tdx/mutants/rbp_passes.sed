# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the guest can pass RBP to KVM
# tests: tdx_passthrough_test
s/(config_flags = )TDX_CONFIG_FLAGS_NO_RBP_MOD;/\10;/
