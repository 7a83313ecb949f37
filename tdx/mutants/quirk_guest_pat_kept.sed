# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM thinks that it may ignore a TD's PAT
# invisible: it decides about memory types, so about speed
/^int tdx_vm_init\(/,/^}/ { /KVM_X86_QUIRK_IGNORE_GUEST_PAT/d }
