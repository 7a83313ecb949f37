# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# NMIs wait for an NMI window that never comes
# tests: tdx_nmi_test
/^static int vt_nmi_allowed\(/,/^}/ s/return true;/return false;/
