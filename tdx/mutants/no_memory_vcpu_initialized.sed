# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VCPU takes a vCPU that got no memory for an initialised one
# tests: tdx_no_memory_test
/^static int tdx_vcpu_init\(/,/^}/ { /ret = tdx_td_vcpu_init\(/ { n; s/if \(ret\)/if (ret \&\& ret != -ENOMEM)/; }; }
