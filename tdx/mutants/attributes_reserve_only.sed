# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# attributes that are taken away stay if there were none before
# tests: tdx_conversion_test
/^static int kvm_vm_set_mem_attributes\(/,/^}/ s/kvm_handle_gfn_range\(kvm, &pre_set_range\);/if (entry) &/
