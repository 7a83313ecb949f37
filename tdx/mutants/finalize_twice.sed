# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_FINALIZE_VM works twice
# tests: tdx_finalize_test
/^static int tdx_td_finalize\(/,/^}/ s/ \|\| kvm_tdx->state == TD_STATE_RUNNABLE//
