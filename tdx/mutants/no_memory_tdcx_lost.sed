# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU that gets no memory leaves those TDCX pages allocated that it has got
# tests: tdx_no_memory_test
/^free_tdcx:/,/^}/ { /if \(tdx->vp\.tdcx_pages\[i\]\)/ { n; s/__free_page\(tdx->vp\.tdcx_pages\[i\]\);/;/; }; }
