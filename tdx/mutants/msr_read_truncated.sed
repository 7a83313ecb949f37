# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# RDMSR returns only 32 bits
# tests: tdx_msr_test
/^int tdx_complete_emulated_msr\(/,/^}/ s/kvm_read_edx_eax\(vcpu\)/kvm_eax_read(vcpu)/
