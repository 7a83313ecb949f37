# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's DEBUGCTL is written though the module has preserved all that is in it
# invisible: it writes what is there
s/^#define TDX_DEBUGCTL_PRESERVED \(DEBUGCTLMSR_BTF \| \\$/#define TDX_DEBUGCTL_PRESERVED (0 \& DEBUGCTLMSR_BTF | \\/
