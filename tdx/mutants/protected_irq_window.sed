# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# KVM requests the interrupt window of a TD's vCPU in a VMCS
# tests: tdx_exits_test
/^static void vt_enable_irq_window\(/,/^}/ s/is_td_vcpu\(vcpu\)/false/
