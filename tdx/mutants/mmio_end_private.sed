# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO can end in private memory
# tests: tdx_mmio_test
/^static .*\btdx_emulate_mmio\(/,/^}/ s/(private_gpa\(vcpu->kvm, gpa) \+ size - 1/\1/
