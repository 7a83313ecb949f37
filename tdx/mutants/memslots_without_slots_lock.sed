# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# a memslot goes while a command adds memory
# race: init_mem_region_and_memslot_deletion
/^static int kvm_vm_ioctl_set_memory_region\(/,/^}/ { /guard\(mutex\)\(&kvm->slots_lock\)/d }
