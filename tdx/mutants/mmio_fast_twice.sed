# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a write to an ioeventfd of any size is handled twice
# tests: tdx_mmio_test
/^static .*\btdx_mmio_write\(/,/^}/ {
/trace_kvm_fast_mmio/,/return 0/ s/return 0;/;/
}
