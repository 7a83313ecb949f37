# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION copies from guest_memfd, not from the source
# tests: tdx_initial_memory_test
/^static int tdx_mem_page_add\(/,/^}/ s/kvm_tdx->page_add_src,$/pfn_to_page(pfn),/
