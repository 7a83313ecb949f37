# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# KVM asks a VMCS for a TD's interrupt window
# tests: tdx_exits_test
/^static void vt_enable_irq_window\(/,/^}/ s/is_td_vcpu\(vcpu\)/false/
