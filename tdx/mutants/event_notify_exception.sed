# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# SetupEventNotifyInterrupt accepts the vector of an exception
# tests: tdx_event_notify_test
/^static .*\btdx_setup_event_notify_interrupt\(/,/^}/ s/vector < 32/vector < 31/
