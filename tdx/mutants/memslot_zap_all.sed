# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# deleting a memslot zaps all of a TD's mappings
# tests: tdx_memslot_test
/^void kvm_arch_flush_shadow_memslot\(/,/^}/ s/kvm->arch.vm_type == KVM_X86_DEFAULT_VM/true/
