# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA of unaligned memory returns INVALID_OPERAND instead of ALIGN_ERROR
# tests: tdx_map_gpa_test
/^static .*\btdx_map_gpa\(/,/^}/ s/STATUS_ALIGN_ERROR/STATUS_INVALID_OPERAND/
