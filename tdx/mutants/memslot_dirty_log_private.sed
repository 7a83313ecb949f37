# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# memslots with a guest_memfd can have dirty logging
# tests: tdx_memslot_test
/^static int check_memory_region_flags\(/,/^}/ s/valid_flags &= ~KVM_MEM_LOG_DIRTY_PAGES/(void)valid_flags/
