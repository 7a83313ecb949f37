# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM drops XFAM
# tests: tdx_cpuid_map_test
/^static int setup_tdparams\(/,/^}/ s/= init_vm->xfam \| td_conf/= td_conf/
