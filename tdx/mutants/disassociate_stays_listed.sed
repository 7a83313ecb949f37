# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a flushed vCPU stays on its CPU's list
/^static inline void tdx_disassociate_vp\(/,/^}/ { /list_del/d }
