# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the owner's digest is given for its configuration's
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/(td_params->mrownerconfig), init_vm->mrownerconfig/\1, init_vm->mrowner/
