# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a flushed vCPU remembers the CPU that it was on
/^static inline void tdx_disassociate_vp\(/,/^}/ { /vcpu->cpu = -1;/d }
