# file: arch/x86/virt/vmx/tdx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# every other cache line of a page is reset on CPUs with the erratum
# where: erratum
/^void tdx_quirk_reset_paddr\(/,/^}/ s/phys \+= 64/phys += 128/
