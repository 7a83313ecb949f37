# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# vCPUs are not flushed from their CPUs when the TD ends
# tests: tdx_teardown_test
/^void tdx_mmu_release_hkid\(/,/^}/ s/^\t\ttdx_flush_vp_on_cpu\(vcpu\);/\t\t;/
