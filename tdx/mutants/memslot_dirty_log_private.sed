# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# dirty logging of memslots with guest_memfd
# tests: tdx_memslot_test
/^static int check_memory_region_flags\(/,/^}/ s/valid_flags &= ~KVM_MEM_LOG_DIRTY_PAGES/(void)valid_flags/
