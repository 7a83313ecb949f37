# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM reads the number of CPUID entries twice and doesn't compare, as in the past
# tests: tdx_init_vm_cpuid_test
/^static int tdx_td_init\(/,/^}/ s/ \|\| init_vm->cpuid\.nent != nr_user_entries//
