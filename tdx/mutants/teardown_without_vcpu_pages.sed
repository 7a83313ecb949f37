# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU's pages are not reclaimed from the TDX module
# tests: tdx_teardown_test
/^void tdx_vcpu_free\(/,/^}/ s/if \(tdx->vp\.tdcx_pages\[i\]\)/if (0)/
