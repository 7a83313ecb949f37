# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# CPUID entries without a slot are dropped silently
# tests: tdx_init_vm_cpuid_test
/^static int setup_tdparams_cpuids\(/,/^}/ s/copy_cnt != cpuid->nent/copy_cnt > cpuid->nent/
