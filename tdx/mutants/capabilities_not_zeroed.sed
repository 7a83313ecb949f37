# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES doesn't clear unused fields, as before 6.16
# tests: tdx_capabilities_test
/^static int tdx_get_capabilities\(/,/^}/ s/ret = init_kvm_tdx_caps/memset(caps, 0x5a, sizeof(*caps));\n\tret = init_kvm_tdx_caps/
