# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# attributes of a range that begins with the wanted ones are not set
# tests: tdx_conversion_test
/^static int kvm_vm_set_mem_attributes\(/,/^}/ s/kvm_range_has_memory_attributes\(kvm, start, end, ~0, attributes\)/kvm_range_has_memory_attributes(kvm, start, start + 1, ~0, attributes)/
