# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# all pages of a request get the contents of the first
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ { /region\.source_addr \+=/d }
