# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# WRMSR changes the result register
# tests: tdx_passthrough_test
/^int tdx_complete_emulated_msr\(/,/^}/ s/if \(vmx_get_exit_reason/if (1 || vmx_get_exit_reason/
