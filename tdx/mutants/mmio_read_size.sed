# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# user space says how long the read was
# tests: tdx_mmio_test
/^static .*\btdx_complete_mmio_read\(/,/^}/ s/size = .*/size = min(vcpu->run->mmio.len, 8u);/
