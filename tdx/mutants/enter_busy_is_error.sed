# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TDH.VP.ENTER that found a lock taken is an error
# where: inject
/^static fastpath_t tdx_exit_handlers_fastpath\(/,/^}/ s/return EXIT_FASTPATH_EXIT_HANDLED;/;/
