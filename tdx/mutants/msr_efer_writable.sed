# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host can write a TD's EFER
# tests: tdx_msr_test
/^static bool tdx_is_read_only_msr\(/,/^}/ s/ \|\| index == MSR_EFER//
