# file: arch/x86/kvm/lapic.c
# SPDX-License-Identifier: GPL-2.0
# an MSI to 255 stays a broadcast
# tests: tdx_x2apic_api_test
/^static bool kvm_apic_is_broadcast_dest\(/,/^}/ s/if \(kvm->arch.x2apic_broadcast_quirk_disabled\)/if (0)/
