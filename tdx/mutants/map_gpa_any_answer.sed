# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA takes any return value of user space for success
# tests: tdx_map_gpa_test
/^static .*\btdx_complete_vmcall_map_gpa\(/,/^}/ s/return -EINVAL;/break;/
