# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO reads return 8 bytes whatever their size
# tests: tdx_mmio_test
/^static .*\btdx_complete_mmio_read\(/,/^}/ s/(run->mmio\.data), size/\1, sizeof(val)/
