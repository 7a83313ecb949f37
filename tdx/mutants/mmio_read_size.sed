# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO reads have the size that user space has in kvm_run
# tests: tdx_mmio_test
/^static .*\btdx_complete_mmio_read\(/,/^}/ s/size = .*/size = min(vcpu->run->mmio.len, 8u);/
