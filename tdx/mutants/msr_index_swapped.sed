# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# WRMSR takes the value for the index
# tests: tdx_msr_test
/^static int __tdx_handle_exit\(/,/^}/ s/kvm_ecx_write\(vcpu, tdx->vp_enter_args.r12\)/kvm_ecx_write(vcpu, exit_reason.basic == EXIT_REASON_MSR_WRITE ? tdx->vp_enter_args.r13 : tdx->vp_enter_args.r12)/
