# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM posts the vector after the one requested
# tests: tdx_msi_test
/^void tdx_deliver_interrupt\(/,/^}/ s/pi_desc, vector\)/pi_desc, (vector + 1) \& 0xff)/
