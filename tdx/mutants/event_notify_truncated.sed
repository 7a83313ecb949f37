# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# SetupEventNotifyInterrupt ignores the high 32 bits of the vector
# tests: tdx_event_notify_test
/^static .*\btdx_setup_event_notify_interrupt\(/,/^}/ s/u64 vector/u32 vector/
