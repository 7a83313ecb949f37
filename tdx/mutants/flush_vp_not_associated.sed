# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU that is not associated to a CPU can't be flushed
# tests: tdx_vcpu_migration_test tdx_teardown_test
/^static void tdx_flush_vp\(/,/^}/ s/ && err != TDX_VCPU_NOT_ASSOCIATED//
