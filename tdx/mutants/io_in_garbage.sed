# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# IN sets the bits above its size
# tests: tdx_io_test
/^static .*\btdx_complete_pio_in\(/,/^}/ s/val = 0;/val = ~0ul;/
