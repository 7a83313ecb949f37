# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# an NMI passed to the TDX module still counts as to be injected
# tests: tdx_nmi_test
/^void tdx_inject_nmi\(/,/^}/ s/vcpu->arch\.nmi_injected = false;//
