# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM ignores an exit by a bus lock
# tests: tdx_exits_test
/^static int __tdx_handle_exit\(/,/^}/ s/return vt_handle_bus_lock_vmexit\(vcpu\);/return 1;/
