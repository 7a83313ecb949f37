# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# the host's DEBUGCTL is read once
# tests: tdx_host_state_test
/^static int vcpu_enter_guest\(/,/^}/ s/^\tvcpu->arch\.host_debugctl = debug_ctl;/\tif (!vcpu->arch.host_debugctl)\n\t&/
