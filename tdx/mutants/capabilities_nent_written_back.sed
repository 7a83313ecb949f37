# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES returns the number of entries when there is no room for them
# tests: tdx_capabilities_test
/^static int tdx_get_capabilities\(/,/^}/ s/return -E2BIG;/return put_user(td_conf->num_cpuid_config, \&user_caps->cpuid.nent) ? : -E2BIG;/
