# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION works on a vCPU without KVM_TDX_INIT_VCPU
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ s/if \(tdx->state != VCPU_TD_STATE_INITIALIZED\)/if (!tdx)/
