# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM drops the attributes
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/td_params->attributes = init_vm->attributes \|/td_params->attributes =/
