# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD that the TDX module refuses keeps its KeyID
# tests: tdx_limits_test
/^static int __tdx_td_init\(/,/^}/ { /^\ttdx_mmu_release_hkid\(kvm\);/d }
