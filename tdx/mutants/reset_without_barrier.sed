# file: arch/x86/virt/vmx/tdx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# nothing waits until a page is reset on CPUs with the erratum
# invisible: only an access by another CPU within some cycles could tell
/^void tdx_quirk_reset_paddr\(/,/^}/ { /^\tmb\(\);/d }
