# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO accepts any direction
# tests: tdx_mmio_test
/^static .*\btdx_emulate_mmio\(/,/^}/ s/if \(write != 0 && write != 1\)/if (write < 0)/
