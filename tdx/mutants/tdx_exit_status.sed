# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the high 32 bits of user space's status are lost
# tests: tdx_get_quote_test
/^static .*\btdx_complete_simple\(/,/^}/ s/vcpu->run/(u32)vcpu->run/
