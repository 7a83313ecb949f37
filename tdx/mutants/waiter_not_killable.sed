# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# what waits for a TD's vCPUs can't be killed
# tests: tdx_killed_test
/^int kvm_lock_all_vcpus\(/,/^}/ s/r = mutex_lock_killable_nest_lock\((.*)\);/mutex_lock_nest_lock(\1); r = 0;/
