# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU without a file descriptor stays on its CPU's list
# tests: tdx_lifecycle_test
/^void tdx_vcpu_free\(/,/^}/ s/tdx_flush_vp_on_cpu\(vcpu\);/;/
