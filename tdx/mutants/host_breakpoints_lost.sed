# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# the host's breakpoints are not restored
# tests: tdx_host_state_test
/^static int vcpu_enter_guest\(/,/^}/ s/hw_breakpoint_restore\(\);/{ }/
