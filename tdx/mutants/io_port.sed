# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# port I/O uses only 8 bits of the port
# tests: tdx_io_test
/^static .*\btdx_emulate_io\(/,/^}/ s/(port = .*r14);/\1 \& 0xff;/
