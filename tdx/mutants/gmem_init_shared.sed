# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# a TD accepts a guest_memfd that is initially shared
# tests: tdx_memslot_test
/^bool kvm_arch_supports_gmem_init_shared\(/,/^}/ s/return .*;/return true;/
