# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# commands accept a hw_error other than 0
# tests: tdx_capabilities_test
/^static int tdx_get_cmd\(/,/^}/ s/\(cmd->hw_error\)/(0)/
