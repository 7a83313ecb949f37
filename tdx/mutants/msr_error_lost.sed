# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a failed MSR access reports success to the guest
# tests: tdx_msr_test
/^int tdx_complete_emulated_msr\(/,/^}/ s/if \(err\)/if (err < 0)/
