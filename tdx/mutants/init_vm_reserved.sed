# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM ignores reserved fields
# tests: tdx_init_vm_test
/^static int tdx_td_init\(/,/^}/ s/if \(memchr_inv\(/if (0 \&\& memchr_inv(/
