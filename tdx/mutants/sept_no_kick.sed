# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# vCPUs stay in the guest over TLB tracking
# tests: tdx_memory_race_test
/^static void tdx_track\(/,/^}/ s/kvm_make_all_cpus_request\(.*\);/(void)0;/
