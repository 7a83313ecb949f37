# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a request that failed does not say how far it came
# tests: tdx_mem_region_test
/^static int tdx_vcpu_init_mem_region\(/,/^}/ s/if \(copy_to_user\(/if (!ret \&\& copy_to_user(/
