# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VCPU's argument does not reach the guest's RCX
# tests: tdx_lifecycle_test
/^static int tdx_td_vcpu_init\(/,/^}/ s/tdh_vp_init\(&tdx->vp, vcpu_rcx,/tdh_vp_init(\&tdx->vp, 0,/
