# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU's posted-interrupt descriptor isn't suppressed before the vCPU is loaded
# invisible: the first load of the vCPU clears it, before a device can post
/^int tdx_vcpu_create\(/,/^}/ { /__pi_set_sn/d }
