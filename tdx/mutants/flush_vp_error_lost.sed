# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# an error of TDH.VP.FLUSH is lost
# invisible: KVM holds all locks of the vCPU, so TDH.VP.FLUSH has no other error
/^static void tdx_flush_vp\(/,/^}/ { /arg->err = err;/d; /^\t\t\tif \(err\)$/d }
