# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the KeyID of a TD that the TDX module refused is never freed
# tests: tdx_limits_test
/^static int __tdx_td_init\(/,/^}/ { /^\ttdx_mmu_release_hkid\(kvm\);/d }
