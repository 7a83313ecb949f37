# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# what was killed while it waited leaves the VM locked
# tests: tdx_killed_test
/tdx_acquire_vm_state_locks\(struct/,/^}/ s/mutex_unlock\(&kvm->lock\);/;/
