# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# a TD's timer is set by the host's TSC and the TD's offset
# tests: tdx_timer_test
/^u64 kvm_read_l1_tsc\(/,/^}/ s/kvm_scale_tsc\(host_tsc, vcpu->arch\.l1_tsc_scaling_ratio\)/host_tsc/
