# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES shows WAITPKG, which KVM_TDX_INIT_VM refuses
# tests: tdx_capabilities_test
/^static void clear_waitpkg\(/,/^}/ s/entry->ecx &= [^;]*;//
