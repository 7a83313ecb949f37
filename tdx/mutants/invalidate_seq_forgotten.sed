# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# a fault can't tell that memory was taken away since it looked
# race: accept_and_conversion
/^void kvm_mmu_invalidate_end\(/,/^}/ { /kvm->mmu_invalidate_seq\+\+;/d }
