# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# SetupEventNotifyInterrupt refuses vector 255
# tests: tdx_event_notify_test
/^static .*\btdx_setup_event_notify_interrupt\(/,/^}/ s/vector > 255/vector > 254/
