# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM drops ECX of CPUID entries
# tests: tdx_cpuid_map_test
/^static int setup_tdparams_cpuids\(/,/^}/ s/value->ecx = entry->ecx;/value->ecx = 0;/
