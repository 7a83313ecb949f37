# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD's cgroup is kept for ever
# tests: tdx_limits_test
/^static inline void tdx_hkid_free\(/,/^}/ { /put_misc_cg/d }
