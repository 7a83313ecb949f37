# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# commands don't take slots_lock, so memslots and attributes can change meanwhile
# tests: tdx_parallel_test
/^static (tdx_vm_state_guard_t tdx_acquire|void tdx_release)_vm_state_locks\(/,/^}/ { /mutex_(un)?lock\(&kvm->slots_lock\)/d }
