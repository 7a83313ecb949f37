# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# writes reach KVM's common code whatever the MSR
# tests: tdx_msr_test
/^int tdx_set_msr\(/,/^}/ s/if \(!tdx_has_emulated_msr\(msr->index\)\)/if (false)/
