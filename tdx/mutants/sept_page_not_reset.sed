# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# pages of the S-EPT are not reset on CPUs with the erratum
# where: erratum
/^static void tdx_sept_free_private_spt\(/,/^}/ s/tdx_reclaim_page\(/__tdx_reclaim_page(/
