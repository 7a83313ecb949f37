# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA returns INVALID_OPERAND instead of RETRY for user space's EAGAIN, as before 3e2dec1ede0a
# tests: tdx_map_gpa_test
/^static .*\btdx_complete_vmcall_map_gpa\(/,/^}/ {
/case EAGAIN:/,/goto/ s/STATUS_RETRY/STATUS_INVALID_OPERAND/
}
