# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDs are never uncharged from the misc cgroup
# tests: tdx_limits_test
/^static inline void tdx_hkid_free\(/,/^}/ { /misc_cg_uncharge/d }
