# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO writes take the GPA as the value
# tests: tdx_mmio_test
/^static .*\btdx_emulate_mmio\(/,/^}/ s/enter_args\.r15/enter_args.r14/
