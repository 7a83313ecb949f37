# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA of 2 MiB does a second, empty chunk
# tests: tdx_map_gpa_test
/^static .*\btdx_complete_vmcall_map_gpa\(/,/^}/ s/map_gpa_next >= /map_gpa_next > /
