# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA returns the end instead of the GPA where it stopped
# tests: tdx_map_gpa_test
/^static .*\btdx_complete_vmcall_map_gpa\(/,/^}/ s/r11 = tdx->map_gpa_next/r11 = tdx->map_gpa_end/
