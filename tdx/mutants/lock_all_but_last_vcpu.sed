# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# commands lock all vCPUs but the last
# race: init_mem_region_and_vcpu_ioctl init_vcpu_and_vcpu_ioctl
/^int kvm_lock_all_vcpus\(/,/^}/ s/^\t\tr = mutex_lock_killable_nest_lock/\t\tif (i \&\& i == atomic_read(\&kvm->online_vcpus) - 1)\n\t\t\tbreak;\n&/
