# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD has the same limit of vCPUs as any VM
# tests: tdx_capabilities_test
/^int tdx_vm_init\(/,/^}/ s/kvm->max_vcpus = min_t\(.*/kvm->max_vcpus += 0;/
