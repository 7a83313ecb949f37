# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's XFD isn't read again after a TD with AMX
# invisible: the box's CPU has no AMX; without, the function that it leads to does nothing
/^int tdx_vcpu_create\(/,/^}/ s/== XFEATURE_MASK_XTILE\)/== 0)/
