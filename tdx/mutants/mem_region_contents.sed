# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the TD gets what guest_memfd has, not the source
# tests: tdx_initial_memory_test
/^static int tdx_mem_page_add\(/,/^}/ s/kvm_tdx->page_add_src,$/pfn_to_page(pfn),/
