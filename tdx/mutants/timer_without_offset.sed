# file: arch/x86/kvm/lapic.c
# SPDX-License-Identifier: GPL-2.0
# a TD's timer is set by the host's TSC
# tests: tdx_timer_test
/^static void start_sw_tscdeadline\(/,/^}/ s/kvm_read_l1_tsc\(vcpu, rdtsc\(\)\)/rdtsc()/
