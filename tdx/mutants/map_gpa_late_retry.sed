# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA returns RETRY although everything has been converted
# tests: tdx_map_gpa_test
/^static .*\btdx_complete_vmcall_map_gpa\(/,/^}/ s/(map_gpa_next >= tdx->map_gpa_end)\)/\1 \&\& !kvm_vcpu_has_events(vcpu))/
