# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# APs wait for an INIT that never comes
# tests: tdx_vcpu_init_test
/^static int tdx_td_vcpu_init\(/,/^}/ s/^\tvcpu->arch\.mp_state = KVM_MP_STATE_RUNNABLE;/\tvcpu->arch.mp_state += 0;/
