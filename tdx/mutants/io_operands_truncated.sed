# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# port I/O ignores the high 32 bits of the size
# tests: tdx_io_test
/^static .*\btdx_emulate_io\(/,/^}/ s/u64 size, write/u32 size, write/
