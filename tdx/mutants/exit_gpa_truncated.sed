# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a fault's address is cut to 32 bits
/^static noinstr void tdx_vcpu_enter_exit\(/,/^}/ s/exit_gpa = tdx->vp_enter_args\.r8;/exit_gpa = (u32)tdx->vp_enter_args.r8;/
