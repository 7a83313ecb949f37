# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# read-only memslots in a TD
# tests: tdx_memslot_test
/^static int check_memory_region_flags\(/,/^}/ s/kvm_arch_has_readonly_mem\(kvm\)/true/
