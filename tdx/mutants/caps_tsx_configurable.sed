# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES offers TSX
# tests: tdx_init_vm_cpuid_test
/^static bool has_tsx\(/,/^}/ s/entry->function == 7/entry->function == 8/
