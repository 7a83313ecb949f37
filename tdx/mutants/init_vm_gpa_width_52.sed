# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM accepts 52-bit GPAs without a 5-level EPT
# tests: tdx_init_vm_test
/^static int setup_tdparams_eptp_controls\(/,/^}/ s/guest_pa == 52 && !cpu_has_vmx_ept_5levels\(\)/0/
