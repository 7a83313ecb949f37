# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the TSC's offset is not told to timers
# tests: tdx_timer_test
/^int tdx_vcpu_create\(/,/^}/ { /arch\.l1_tsc_offset = /d }
