# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# attributes change without mmu_lock
# race: accept_and_conversion write_and_conversion
/^static __always_inline void kvm_handle_gfn_range\(/,/^}/ { s/KVM_MMU_(UN)?LOCK\(kvm\)/(void)0/ }
