# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# an interrupt wakes a halted vCPU although the guest has blocked interrupts
# tests: tdx_hlt_test
/^bool tdx_interrupt_allowed\(/,/^}/ s/!to_tdx\(vcpu\)->vp_enter_args\.r12/true/
