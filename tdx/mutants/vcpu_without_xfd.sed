# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's XFD isn't read again after a TD with AMX
# invisible: it is 0, as the module leaves it and as KVM begins with for any guest
/^int tdx_vcpu_create\(/,/^}/ s/== XFEATURE_MASK_XTILE\)/== 0)/
