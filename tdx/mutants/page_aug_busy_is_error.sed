# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TDH.MEM.PAGE.AUG that found a lock taken is an error
# where: inject
/^static int tdx_mem_page_aug\(/,/^}/ { /tdx_operand_busy/,/EBUSY/d }
