# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA swaps private and shared
# tests: tdx_map_gpa_test
/^static .*\b__tdx_map_gpa\(/,/^}/ s/vt_is_tdx_private_gpa/!vt_is_tdx_private_gpa/
