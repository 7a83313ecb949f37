# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# a CPU that goes offline doesn't flush its vCPUs
# tests: tdx_cpu_offline_test
/^static void vt_disable_virtualization_cpu\(/,/^}/ s/tdx_disable_virtualization_cpu\(\);/{ }/
