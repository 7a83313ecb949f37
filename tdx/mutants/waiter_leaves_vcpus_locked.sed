# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# what was killed while it waited leaves the other vCPUs locked
# tests: tdx_killed_test
/^int kvm_lock_all_vcpus\(/,/^}/ s/mutex_unlock\(&vcpu->mutex\);/;/
