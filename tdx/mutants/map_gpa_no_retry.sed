# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA doesn't return to the guest when interrupts are pending
# tests: tdx_map_gpa_test
/^static .*\btdx_complete_vmcall_map_gpa\(/,/^}/ s/if \(kvm_vcpu_has_events/if (0 \&\& kvm_vcpu_has_events/
