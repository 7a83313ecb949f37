# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the GPA of MMIO has the shared bit
# tests: tdx_mmio_test
/^static .*\btdx_emulate_mmio\(/,/^}/ {
/gpa = gpa &/d
}
