# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM silently drops CPUID leaves that are not configurable
# tests: tdx_init_vm_cpuid_test
/^static int setup_tdparams_cpuids\(/,/^}/ s/copy_cnt != cpuid->nent/copy_cnt > cpuid->nent/
