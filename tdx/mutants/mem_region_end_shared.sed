# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION accepts private memory that ends in the shared half
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ s/!vt_is_tdx_private_gpa\(kvm, region\.gpa \+ .*$/false)/
