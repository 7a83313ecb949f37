# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# the TSC offset of a TD's vCPU can be set
# tests: tdx_protected_state_test
/^void kvm_vcpu_write_tsc_offset\(/,/^}/ s/vcpu->arch.guest_tsc_protected/false/
/^static void __kvm_synchronize_tsc\(/,/^}/ s/vcpu->arch.guest_tsc_protected/false/
