# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a second NMI stays pending in KVM
# tests: tdx_nmi_test
/^void tdx_inject_nmi\(/,/^}/ s/vcpu->arch\.nmi_pending = 0;//
