# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES offers WAITPKG
# tests: tdx_init_vm_cpuid_test
/^static bool has_waitpkg\(/,/^}/ s/entry->function == 7/entry->function == 8/
