# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VCPU ignores its flags
# tests: tdx_vcpu_init_test
/^static int tdx_vcpu_init\(/,/^}/ s/\(cmd->flags\)/(0)/
