# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO passes the shared bit to user space
# tests: tdx_mmio_test
/^static .*\btdx_emulate_mmio\(/,/^}/ {
/gpa = gpa &/d
}
