# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the count of CPUID entries may change while KVM reads it, as it once could
# tests: tdx_init_vm_cpuid_test
/^static int tdx_td_init\(/,/^}/ s/ \|\| init_vm->cpuid\.nent != nr_user_entries//
