# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU whose creation failed stays on its CPU's list
# tests: tdx_cpu_offline_test
/^void tdx_vcpu_free\(/,/^}/ s/^\t\ttdx_flush_vp_on_cpu\(vcpu\);/\t\t;/
