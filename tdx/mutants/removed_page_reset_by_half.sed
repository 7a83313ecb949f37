# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# only half of a removed private page is reset on CPUs with the erratum
# where: erratum
/^static int tdx_sept_remove_leaf_spte\(/,/^}/ s/PAGE_SIZE\);/PAGE_SIZE \/ 2);/
