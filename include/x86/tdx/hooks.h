/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lib's functions that lib/x86/tdx/hooks.c extends by the linker's --wrap;
 * tdx.mk has the same list.
 */
#ifndef SELFTEST_KVM_TDX_HOOKS_H
#define SELFTEST_KVM_TDX_HOOKS_H

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"

extern typeof(addr_arch_gva2gpa) __real_addr_arch_gva2gpa, __wrap_addr_arch_gva2gpa;
extern typeof(kvm_init_vm_address_properties) __real_kvm_init_vm_address_properties, __wrap_kvm_init_vm_address_properties;
extern typeof(memset) __wrap_memset;
extern typeof(ucall_arch_do_ucall) __real_ucall_arch_do_ucall, __wrap_ucall_arch_do_ucall;
extern typeof(ucall_arch_get_ucall) __real_ucall_arch_get_ucall, __wrap_ucall_arch_get_ucall;
extern typeof(ucall_init) __real_ucall_init, __wrap_ucall_init;
extern typeof(vcpu_arch_dump) __real_vcpu_arch_dump, __wrap_vcpu_arch_dump;
extern typeof(vcpu_arch_set_entry_point) __real_vcpu_arch_set_entry_point, __wrap_vcpu_arch_set_entry_point;
extern typeof(vcpu_args_set) __real_vcpu_args_set, __wrap_vcpu_args_set;
extern typeof(virt_arch_pg_map) __real_virt_arch_pg_map, __wrap_virt_arch_pg_map;
extern typeof(vm_arch_vcpu_add) __real_vm_arch_vcpu_add, __wrap_vm_arch_vcpu_add;

#endif /* SELFTEST_KVM_TDX_HOOKS_H */
