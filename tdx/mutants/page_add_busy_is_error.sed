# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TDH.MEM.PAGE.ADD that found a lock taken is an error
# where: inject
/^static int tdx_mem_page_add\(/,/^}/ { /tdx_operand_busy/,/EBUSY/d }
