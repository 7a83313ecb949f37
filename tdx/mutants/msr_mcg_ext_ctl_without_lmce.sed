# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MCG_EXT_CTL is readable without LMCE
# tests: tdx_msr_test
/^int tdx_get_msr\(/,/^}/ s/if \(!msr->host_initiated && /if (false \&\& /
