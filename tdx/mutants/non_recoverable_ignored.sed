# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM ignores that a vCPU can no longer be entered, by the TDX module's status
# where: inject
/^static int __tdx_handle_exit\(/,/^}/ s/\(TDX_ERROR \| TDX_NON_RECOVERABLE\)/TDX_ERROR/
