# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM ignores the high 32 bits of the leaf of any other TDVMCALL
# tests: tdx_hypercall_test
/^static .*\bhandle_tdvmcall\(/,/^}/ s/switch \(tdvmcall_leaf/switch ((u32)tdvmcall_leaf/
