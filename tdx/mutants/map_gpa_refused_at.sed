# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA returns the wrong GPA when it refuses its operands
# tests: tdx_map_gpa_test
/^static .*\btdx_map_gpa\(/,/^}/ s/(enter_args\.r11 = gpa);/\1 + PAGE_SIZE;/
