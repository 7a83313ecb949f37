# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDH.MNG.KEY.CONFIG runs where KVM_TDX_INIT_VM was called, and not on one CPU only
# case: tdx_parallel_test race_of_two_tds.begin_and_end_together
# inject: TDH.MNG.KEY.CONFIG:lingers@3-4
/^static int __tdx_td_init\(/,/^}/ {
	s/ret = smp_call_on_cpu\(i, tdx_do_tdh_mng_key_config,/ret = tdx_do_tdh_mng_key_config(/
	s/^\t\t\t\t      kvm_tdx, true\);/kvm_tdx);/
}
