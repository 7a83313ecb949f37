# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# no KeyID left looks like a limit of the cgroup
# tests: tdx_limits_test
/^static int __tdx_td_init\(/,/^}/ { /tdx_guest_keyid_alloc/,/return ret/ s/return ret;/return -EBUSY;/ }
