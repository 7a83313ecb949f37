# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM passes unknown attributes to the TDX module
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/if \(init_vm->attributes & /if (0 \& /
