# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# KVM_MEMORY_ENCRYPT_OP on another VM returns another errno
# tests: tdx_capabilities_test
/^static int vt_mem_enc_ioctl\(/,/^}/ s/-ENOTTY/-EINVAL/
