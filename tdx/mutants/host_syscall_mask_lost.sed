# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's SYSCALL mask is not saved
# tests: tdx_host_state_test
/^void tdx_prepare_switch_to_guest\(/,/^}/ s/for \(i = 0;/for (i = 1;/
