# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA doesn't check whether the end is a legal GPA
# tests: tdx_map_gpa_test
/^static .*\btdx_map_gpa\(/,/^}/ s/(is_legal_gpa\(vcpu, gpa) \+ size - 1/\1/
