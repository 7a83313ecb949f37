# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA passes the shared bit to user space
# tests: tdx_map_gpa_test
/^static .*\b__tdx_map_gpa\(/,/^}/ s/(args\[0\] = gpa) .*/\1;/
