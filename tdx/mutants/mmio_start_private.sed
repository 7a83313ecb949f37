# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO can start in private memory
# tests: tdx_mmio_test
/^static .*\btdx_emulate_mmio\(/,/^}/ s/if \(vt_is_tdx_private_gpa\(vcpu->kvm, gpa\) \|\|/if (/
