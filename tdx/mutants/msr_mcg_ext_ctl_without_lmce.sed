# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a guest without LMCE reads MCG_EXT_CTL
# tests: tdx_msr_test
/^int tdx_get_msr\(/,/^}/ s/if \(!msr->host_initiated && /if (false \&\& /
