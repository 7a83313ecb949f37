# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the module's id of a vCPU's APIC is not KVM's
# tests: tdx_vcpu_init_test
/^static int tdx_td_vcpu_init\(/,/^}/ s/vcpu->vcpu_id\)/vcpu->vcpu_id ^ 0x40)/
