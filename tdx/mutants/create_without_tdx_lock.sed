# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDH.MNG.CREATE is called without tdx_lock, so it may find the KeyIDs locked
# case: tdx_parallel_test race_of_two_tds.begin_and_end_together
# inject: TDH.MNG.CREATE:lingers@3-4
/^static int __tdx_td_init\(/,/^}/ { /mutex_(un)?lock\(&tdx_lock\)/d }
