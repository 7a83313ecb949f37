# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MCG_EXT_CTL accepts reserved bits
# tests: tdx_msr_test
/^int tdx_set_msr\(/,/^}/ s/\(msr->data & ~MCG_EXT_CTL_LMCE_EN\)/false/
