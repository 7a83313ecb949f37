# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# VM commands don't report a fault when they write hw_error
# tests: tdx_init_vm_test
/^int tdx_vm_ioctl\(/,/^}/ s/^\t\treturn -EFAULT;/\t\treturn r;/
