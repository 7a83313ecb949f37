# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD believes in more vCPUs than KVM allows
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/td_params->max_vcpus = kvm->max_vcpus;/td_params->max_vcpus = kvm->max_vcpus + 1;/
