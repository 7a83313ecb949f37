# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# KVM reads the activity state of a TD's vCPU from a VMCS
# tests: tdx_hlt_test
/^static void vt_clear_hlt\(/,/^}/ s/is_td_vcpu\(vcpu\)/false/
