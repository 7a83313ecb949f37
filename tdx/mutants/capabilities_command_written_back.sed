# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES writes to struct kvm_tdx_cmd, as before 6.19
# tests: tdx_capabilities_test
/^int tdx_vm_ioctl\(/,/^}/ s/return tdx_get_capabilities\(&tdx_cmd\);/return copy_to_user(argp, \&tdx_cmd, sizeof(tdx_cmd)) ? -EFAULT : tdx_get_capabilities(\&tdx_cmd);/
