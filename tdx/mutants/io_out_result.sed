# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# OUT changes the result register
# tests: tdx_passthrough_test
/^static .*\btdx_complete_pio_out\(/,/^}/ s/return 1;/tdvmcall_set_return_val(vcpu, 0);\n\treturn 1;/
