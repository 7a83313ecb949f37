# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# hypercalls ignore user space's error
# tests: tdx_hypercall_test
/^static .*\bcomplete_hypercall_exit\(/,/^}/ s/vcpu->run->hypercall\.ret/0/
