# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# INIT_VM drops what is asked for of ECX
# tests: tdx_cpuid_map_test
/^static int setup_tdparams_cpuids\(/,/^}/ s/value->ecx = entry->ecx;/value->ecx = 0;/
