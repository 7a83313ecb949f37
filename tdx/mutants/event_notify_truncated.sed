# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the vector is what its lower half says
# tests: tdx_event_notify_test
/^static .*\btdx_setup_event_notify_interrupt\(/,/^}/ s/u64 vector/u32 vector/
