# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA accepts a range that is partly private and partly shared
# tests: tdx_map_gpa_test
/^static .*\btdx_map_gpa\(/,/^}/ s/(private_gpa\(vcpu->kvm, gpa) \+ size - 1/\1/
