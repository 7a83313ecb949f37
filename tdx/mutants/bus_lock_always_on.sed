# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# bus lock detection is enabled for every TD
# tests: tdx_exits_test
/^static int tdx_vcpu_init\(/,/^}/ s/if \(vcpu->kvm->arch\.bus_lock_detection_enabled\)/if (1)/
