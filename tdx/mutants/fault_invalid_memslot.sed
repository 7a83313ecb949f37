# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a fault doesn't return while its memslot is being deleted (fixed in 6.18)
# tests: tdx_memory_race_test
/^static int tdx_handle_ept_violation\(/,/^}/ s/slot && slot->flags & KVM_MEMSLOT_INVALID/false/
