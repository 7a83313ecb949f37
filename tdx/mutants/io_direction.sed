# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# port I/O accepts any direction
# tests: tdx_io_test
/^static .*\btdx_emulate_io\(/,/^}/ s/\(write != 0 && write != 1\) \|\| //
