# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA doesn't reset the return value of the exit before
# tests: tdx_map_gpa_test
/^static .*\b__tdx_map_gpa\(/,/^}/ {
/hypercall\.ret = 0/d
}
