# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# commands don't lock the vCPUs, so vCPUs can run meanwhile
# tests: tdx_parallel_test
/^static tdx_vm_state_guard_t tdx_acquire_vm_state_locks\(/,/^}/ s/r = kvm_lock_all_vcpus\(kvm\);/r = 0;/
/^static void tdx_release_vm_state_locks\(/,/^}/ { /kvm_unlock_all_vcpus/d }
