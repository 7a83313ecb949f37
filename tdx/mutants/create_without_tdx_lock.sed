# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDH.MNG.CREATE is called without tdx_lock, so it may find the KeyIDs locked
# tests: tdx_parallel_test
/^static int __tdx_td_init\(/,/^}/ { /mutex_(un)?lock\(&tdx_lock\)/d }
