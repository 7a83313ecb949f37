# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# TLB tracking doesn't kick vCPUs out of the guest
# tests: tdx_memory_race_test
/^static void tdx_track\(/,/^}/ s/kvm_make_all_cpus_request\(.*\);/(void)0;/
