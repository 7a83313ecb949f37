# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# OUT takes its value from the wrong register
# tests: tdx_io_test
/^static .*\btdx_emulate_io\(/,/^}/ s/(val = .*)r15/\1r13/
