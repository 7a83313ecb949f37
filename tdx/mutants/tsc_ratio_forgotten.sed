# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the TSC's ratio is told to timers only
# invisible: kvm_arch_vcpu_create() computes the same from the frequency right afterwards
/^int tdx_vcpu_create\(/,/^}/ { /arch\.tsc_scaling_ratio = /d }
