# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the user's GS base is not put back
# tests: tdx_host_state_test
/^static void tdx_prepare_switch_to_host\(/,/^}/ s/wrmsrq\(.*\);//
