# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# SetupEventNotifyInterrupt succeeds unless user space says otherwise
# tests: tdx_event_notify_test
/^static .*\btdx_setup_event_notify_interrupt\(/,/^}/ s/STATUS_SUBFUNC_UNSUPPORTED/STATUS_SUCCESS/
