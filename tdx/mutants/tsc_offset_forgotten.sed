# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM uses its own TSC offset for the TD's
# tests: tdx_timer_test
/^int tdx_vcpu_create\(/,/^}/ s/l1_tsc_offset = vcpu->arch\.tsc_offset/l1_tsc_offset = 0/
