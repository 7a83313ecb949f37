# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# IN always returns 0
# tests: tdx_io_test
/^static .*\btdx_complete_pio_in\(/,/^}/ s/return_val\(vcpu, val\)/return_val(vcpu, 0)/
