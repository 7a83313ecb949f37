# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA accepts a size of 0
# tests: tdx_map_gpa_test
/^static .*\btdx_map_gpa\(/,/^}/ s/gpa \+ size <= gpa/gpa + size < gpa/
