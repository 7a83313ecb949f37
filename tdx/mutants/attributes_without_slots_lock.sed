# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# attributes change while a command adds memory
# race: init_mem_region_and_conversion
/^static int kvm_vm_set_mem_attributes\(/,/^}/ { /mutex_(un)?lock\(&kvm->slots_lock\)/d }
