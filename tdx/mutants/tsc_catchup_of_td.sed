# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# a TD's TSC is made to catch up
# invisible: what would make it catch up does nothing for a protected TSC
/^void kvm_arch_vcpu_load\(/,/^}/ s/if \(!vcpu->arch\.guest_tsc_protected\)/if (1)/
