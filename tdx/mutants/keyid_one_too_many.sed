# file: arch/x86/virt/vmx/tdx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# one KeyID more is given to TDs than there is
# tests: tdx_limits_test
/^int tdx_guest_keyid_alloc\(/,/^}/ s/tdx_nr_guest_keyids - 1,/tdx_nr_guest_keyids,/
