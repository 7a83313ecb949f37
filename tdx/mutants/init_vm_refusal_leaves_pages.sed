# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM doesn't tear down a TD whose parameters the TDX module refused
# tests: tdx_init_vm_test
/^static int __tdx_td_init\(/,/^}/ s/^\ttdx_mmu_release_hkid\(kvm\);$/\tkvm_tdx->state = TD_STATE_INITIALIZED;/
