# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's PKRU is only restored if it is 0
# tests: tdx_host_xstate_test
/^static void tdx_load_host_xsave_state\(/,/^}/ s/host_pkru != 0/host_pkru == 0/
