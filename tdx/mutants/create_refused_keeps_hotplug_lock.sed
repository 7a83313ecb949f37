# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the lock against CPU hotplug is kept if TDH.MNG.CREATE fails
# where: inject
/^static int __tdx_td_init\(/,/^}/ { /^free_packages:/,/^}/ { /cpus_read_unlock/d } }
