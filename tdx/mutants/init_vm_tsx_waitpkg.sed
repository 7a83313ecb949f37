# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_INIT_VM accepts WAITPKG
# tests: tdx_init_vm_cpuid_test
/^static bool tdx_unsupported_cpuid\(/,/^}/ s/ \|\| has_waitpkg\(entry\)//
