# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the last MCA bank is not emulated
# tests: tdx_msr_test
/^bool tdx_has_emulated_msr\(/,/^}/ s/MCx_CTL\(KVM_MAX_MCE_BANKS\)/MCx_CTL(KVM_MAX_MCE_BANKS - 1)/
