# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a refused TD is not torn down, and its KeyID is lost
# tests: tdx_init_vm_test
/^static int __tdx_td_init\(/,/^}/ s/^\ttdx_mmu_release_hkid\(kvm\);$/\tkvm_tdx->state = TD_STATE_INITIALIZED;/
