# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a halted vCPU wakes for interrupts that the guest has blocked
# tests: tdx_hlt_test
/^bool tdx_interrupt_allowed\(/,/^}/ s/!to_tdx\(vcpu\)->vp_enter_args\.r12/true/
