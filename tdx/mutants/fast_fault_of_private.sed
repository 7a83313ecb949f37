# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# a private fault may be taken for one of write protection
# invisible: a fast fault looks for a writable SPTE, and zaps come before the attributes change
/^static bool page_fault_can_be_fast\(/,/^}/ s/kvm->arch\.has_private_mem &&/0 \&\&/
