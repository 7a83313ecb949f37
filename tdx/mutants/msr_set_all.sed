# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM's common code handles writes of all MSRs
# tests: tdx_msr_test
/^int tdx_set_msr\(/,/^}/ s/if \(!tdx_has_emulated_msr\(msr->index\)\)/if (false)/
