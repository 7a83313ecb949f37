# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# running out of KeyIDs returns the errno of the cgroup's limit
# tests: tdx_limits_test
/^static int __tdx_td_init\(/,/^}/ { /tdx_guest_keyid_alloc/,/return ret/ s/return ret;/return -EBUSY;/ }
