# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the TDX module gets another APIC ID than KVM has
# tests: tdx_vcpu_init_test
/^static int tdx_td_vcpu_init\(/,/^}/ s/vcpu->vcpu_id\)/vcpu->vcpu_id ^ 0x40)/
