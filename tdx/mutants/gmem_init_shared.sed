# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# guest_memfd may start out shared in a TD
# tests: tdx_memslot_test
/^bool kvm_arch_supports_gmem_init_shared\(/,/^}/ s/return .*;/return true;/
