# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM doesn't write the NMI to the TDX module
# tests: tdx_ve_test
/^void tdx_inject_nmi\(/,/^}/ { /TD_VCPU_PEND_NMI, 1\);/d; }
