# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_CAP_SYNC_REGS is offered for a TD
# tests: tdx_capabilities_test
/^static inline u64 kvm_sync_valid_fields\(/,/^}/ s/kvm && .* \? 0 : //
