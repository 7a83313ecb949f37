# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM passes mrowner as mrownerconfig
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/(td_params->mrownerconfig), init_vm->mrownerconfig/\1, init_vm->mrowner/
