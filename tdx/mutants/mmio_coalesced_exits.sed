# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a write that a device in KVM has handled also exits to user space
# tests: tdx_mmio_test
/^static .*\btdx_mmio_write\(/,/^}/ {
/^\t\treturn -EOPNOTSUPP;/,/^}/ s/return 0;/return -EOPNOTSUPP;/
}
