# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# memslots and attributes may change while a command is at work
# tests: tdx_parallel_test
/^static (tdx_vm_state_guard_t tdx_acquire|void tdx_release)_vm_state_locks\(/,/^}/ { /mutex_(un)?lock\(&kvm->slots_lock\)/d }
