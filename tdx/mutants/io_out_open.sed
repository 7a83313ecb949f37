# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# OUT is never completed, and the next IN is taken for its completion
# tests: tdx_io_test
/^static .*\btdx_complete_pio_out\(/,/^}/ {
/pio\.count = 0/d
}
