# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TDH.MEM.SEPT.ADD that found a lock taken is an error
# where: inject
/^static int tdx_sept_map_nonleaf_spte\(/,/^}/ { /tdx_operand_busy/,/EBUSY/d }
