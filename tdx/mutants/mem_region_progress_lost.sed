# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_MEM_REGION doesn't return its progress when it fails
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ s/if \(copy_to_user\(/if (!ret \&\& copy_to_user(/
