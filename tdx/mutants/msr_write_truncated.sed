# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# WRMSR writes only 32 bits
# tests: tdx_msr_test
/^static int __tdx_handle_exit\(/,/^}/ s/kvm_edx_write\(vcpu, tdx->vp_enter_args.r13 >> 32\)/kvm_edx_write(vcpu, 0)/
