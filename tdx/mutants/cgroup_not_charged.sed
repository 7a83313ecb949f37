# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDs are not charged to the misc cgroup
# tests: tdx_limits_test
/^static int __tdx_td_init\(/,/^}/ s/ret = misc_cg_try_charge\(.*$/ret = 0;/
