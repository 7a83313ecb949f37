# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# interrupts posted before the entry are not delivered
# tests: tdx_msi_test
/^fastpath_t tdx_vcpu_run\(/,/^}/ s/if \(pi_test_on\(/if (0 \&\& pi_test_on(/
