# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the command of KVM_TDX_CAPABILITIES has to be writable, as before 6.19
# tests: tdx_capabilities_test
/^int tdx_vm_ioctl\(/,/^}/ s/return tdx_get_capabilities\(&tdx_cmd\);/return copy_to_user(argp, \&tdx_cmd, sizeof(tdx_cmd)) ? -EFAULT : tdx_get_capabilities(\&tdx_cmd);/
