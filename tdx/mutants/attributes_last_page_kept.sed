# file: virt/kvm/kvm_main.c
# SPDX-License-Identifier: GPL-2.0
# attributes of a range's last page are not set
# tests: tdx_conversion_test
/^static int kvm_vm_set_mem_attributes\(/,/^}/ s/^\tfor \(i = start; i < end; i\+\+\) \{/\tfor (i = start; i < end - (end - start > 1); i++) {/
