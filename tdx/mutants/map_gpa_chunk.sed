# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA works in chunks of 4 MiB
# tests: tdx_map_gpa_test
/^#define TDX_MAP_GPA_MAX_LEN/ s/2 \*/4 */
