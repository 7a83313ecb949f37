# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# the host's PKRU is read once
# tests: tdx_host_xstate_test
/^void kvm_arch_vcpu_load\(/,/^}/ s/^\tvcpu->arch\.host_pkru = read_pkru\(\);/\tif (!vcpu->arch.host_pkru)\n\t&/
