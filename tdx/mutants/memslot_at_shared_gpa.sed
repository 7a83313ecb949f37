# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# a memslot can be in the shared half
# tests: tdx_gpa_width_test
/^int kvm_arch_prepare_memory_region\(/,/^}/ s/if \(kvm_is_gfn_alias\(.*$/if (0)/
