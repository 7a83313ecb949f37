# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VCPU accepts a vCPU without x2APIC in its CPUID
# tests: tdx_vcpu_init_test
/^static int tdx_vcpu_init\(/,/^}/ s/if \(kvm_apic_set_base\(vcpu, apic_base, true\)\)/if (kvm_apic_set_base(vcpu, apic_base, true) < 0)/
