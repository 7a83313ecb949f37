# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION ignores unknown flags
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ s/if \(cmd->flags & ~KVM_TDX_MEASURE_MEMORY_REGION\)/if (0)/
