# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TDVMCALL<CPUID> clears R11, which is not a result
# tests: tdx_passthrough_test
/^static .*\btdx_emulate_cpuid\(/,/^}/ s/vp_enter_args\.r15 = edx;/&\n\ttdx->vp_enter_args.r11 = 0;/
