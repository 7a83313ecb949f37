# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM writes 0 to the TDX module's pending NMI
# tests: tdx_nmi_test
/^void tdx_inject_nmi\(/,/^}/ s/TD_VCPU_PEND_NMI, 1/TD_VCPU_PEND_NMI, 0/
