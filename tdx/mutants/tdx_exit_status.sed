# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# of user space's status the lower half is lost
# tests: tdx_get_quote_test
/^static .*\btdx_complete_simple\(/,/^}/ s/vcpu->run/(u32)vcpu->run/
