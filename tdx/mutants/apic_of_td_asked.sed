# file: arch/x86/kvm/irq.c
# SPDX-License-Identifier: GPL-2.0
# KVM asks its own APIC for a TD's interrupts
# tests: tdx_hlt_test
/^int kvm_cpu_has_interrupt\(/,/^}/ s/v->arch\.apic->guest_apic_protected\)/0)/
