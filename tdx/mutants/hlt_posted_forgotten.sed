# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU sleeps although KVM has posted an interrupt
# tests: tdx_hlt_test
/^static bool tdx_protected_apic_has_interrupt\(/,/^}/ s/if \(pi_has_pending_interrupt/if (0 \&\& pi_has_pending_interrupt/
