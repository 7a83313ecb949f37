# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# FEATURE_CONTROL lacks LMCE
# tests: tdx_msr_test
/^int tdx_get_msr\(/,/^}/ s/\|= FEAT_CTL_LMCE_ENABLED/|= 0/
