# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# vCPUs are not kicked out after TDH.MEM.TRACK
# tests: tdx_memory_race_test tdx_memory_test
/^static void tdx_track\(/,/^}/ s/kvm_make_all_cpus_request\(.*$/;/
