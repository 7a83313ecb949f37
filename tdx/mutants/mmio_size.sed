# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO accepts a size of 3 bytes
# tests: tdx_mmio_test
/^static .*\btdx_emulate_mmio\(/,/^}/ s/size != 1 &&/size != 1 \&\& size != 3 \&\&/
