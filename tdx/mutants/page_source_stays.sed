# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the source page of a KVM_TDX_INIT_MEM_REGION that failed is remembered
# tests: tdx_mem_region_test tdx_initial_memory_test
/^static int tdx_gmem_post_populate\(/,/^}/ s/kvm_tdx->page_add_src = NULL;/if (!ret) &/
