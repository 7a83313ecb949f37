# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES ignores its flags
# tests: tdx_capabilities_test
/^static int tdx_get_capabilities\(/,/^}/ s/\(cmd->flags\)/(0)/
