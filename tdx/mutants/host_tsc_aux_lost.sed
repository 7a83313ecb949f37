# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's TSC_AUX is not restored
# tests: tdx_host_state_test
/^void tdx_prepare_switch_to_guest\(/,/^}/ s/i < ARRAY_SIZE\(tdx_uret_msrs\)/i < ARRAY_SIZE(tdx_uret_msrs) - 1/
