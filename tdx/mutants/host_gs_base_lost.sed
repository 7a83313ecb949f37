# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the GS base of user space is not restored
# tests: tdx_host_state_test
/^static void tdx_prepare_switch_to_host\(/,/^}/ s/wrmsrq\(.*\);//
