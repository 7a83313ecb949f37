# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM_TDX_CAPABILITIES swaps ECX and EDX
# tests: tdx_cpuid_map_test
/^static void td_init_cpuid_entry2\(/,/^}/ { s/entry->ecx = \(u32\)td_conf->cpuid_config_values\[idx\]\[1\]/entry->ecx = td_conf->cpuid_config_values[idx][1] >> 32/; s/entry->edx = td_conf->cpuid_config_values\[idx\]\[1\] >> 32/entry->edx = (u32)td_conf->cpuid_config_values[idx][1]/; }
