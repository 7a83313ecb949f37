# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TDH.VP.ENTER that found a lock taken is tried again at once, with interrupts off
# invisible: the lock's holder needs nothing of this CPU, so the entry soon succeeds
/^static fastpath_t tdx_exit_handlers_fastpath\(/,/^}/ s/EXIT_FASTPATH_EXIT_HANDLED/EXIT_FASTPATH_REENTER_GUEST/
