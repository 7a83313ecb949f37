# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# a TD is said to have the register synchronisation of KVM_RUN
# tests: tdx_capabilities_test
/^static inline u64 kvm_sync_valid_fields\(/,/^}/ s/kvm && .* \? 0 : //
