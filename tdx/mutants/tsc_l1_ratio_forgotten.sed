# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the TSC's ratio is not told to timers
# invisible: kvm_arch_vcpu_create() computes the same from the frequency right afterwards
/^int tdx_vcpu_create\(/,/^}/ { /arch\.l1_tsc_scaling_ratio = /d }
