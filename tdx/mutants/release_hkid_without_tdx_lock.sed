# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a KeyID is released without tdx_lock, so that two TDs may do that at the same time
# case: tdx_parallel_test race_of_two_tds.begin_and_end_together
# inject: TDH.MNG.VPFLUSHDONE:lingers@3-4
/^void tdx_mmu_release_hkid\(/,/^}/ { /mutex_(un)?lock\(&tdx_lock\)/d }
