# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# port I/O accepts a size of 8 bytes
# tests: tdx_io_test
/^static .*\btdx_emulate_io\(/,/^}/ s/size != 4\)/size != 4 \&\& size != 8)/
