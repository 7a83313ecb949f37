# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# commands don't take kvm->lock, so a vCPU can be created meanwhile
# race: init_vm_and_create_vcpu init_vcpu_and_init_mem_region
/^static (tdx_vm_state_guard_t tdx_acquire|void tdx_release)_vm_state_locks\(/,/^}/ { /mutex_(un)?lock\(&kvm->lock\)/d }
