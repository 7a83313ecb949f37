# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# only half of a control page is reset on CPUs with the erratum
# where: erratum
/^static int tdx_reclaim_page\(/,/^}/ s/PAGE_SIZE\)/PAGE_SIZE \/ 2)/
