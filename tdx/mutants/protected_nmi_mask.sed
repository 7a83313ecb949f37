# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# KVM masks the NMIs of a TD's vCPU in a VMCS
# tests: tdx_vcpu_events_test
/^static void vt_set_nmi_mask\(/,/^}/ s/is_td_vcpu\(vcpu\)/false/
