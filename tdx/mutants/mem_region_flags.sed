# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# flags of the future are ignored
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ s/if \(cmd->flags & ~KVM_TDX_MEASURE_MEMORY_REGION\)/if (0)/
