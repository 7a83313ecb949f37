# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a private page's fault is handled as the guest's access, not as a write
# invisible: KVM maps private pages writable whatever the access, and has no fast faults there
/^static int tdx_handle_ept_violation\(/,/^}/ s/exit_qual = EPT_VIOLATION_ACC_WRITE;/exit_qual = vmx_get_exit_qual(vcpu);/
