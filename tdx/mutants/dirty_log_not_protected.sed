# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# dirty logging doesn't write-protect existing mappings
# tests: tdx_dirty_log_test
/^static void kvm_mmu_slot_apply_flags\(/,/^}/ s/kvm_mmu_slot_remove_write_access\(kvm, new, PG_LEVEL_4K\)/(void)0/
