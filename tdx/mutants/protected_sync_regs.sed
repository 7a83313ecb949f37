# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_CAP_SYNC_REGS works on a TD's vCPU
# tests: tdx_protected_state_test
/^static inline u64 kvm_sync_valid_fields\(/,/^}/ s/kvm->arch.has_protected_state/false/
