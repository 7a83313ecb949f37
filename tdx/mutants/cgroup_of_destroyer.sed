# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a KeyID is given back to the cgroup of the process that destroys the TD
# tests: tdx_limits_test
/^static inline void tdx_hkid_free\(/,/^}/ s/misc_cg_uncharge\(MISC_CG_RES_TDX, kvm_tdx->misc_cg, 1\)/{ struct misc_cg *cg = get_current_misc_cg(); misc_cg_uncharge(MISC_CG_RES_TDX, cg, 1); put_misc_cg(cg); }/
