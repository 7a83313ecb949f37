# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD's maximum number of vCPUs is one more than KVM's
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/td_params->max_vcpus = kvm->max_vcpus;/td_params->max_vcpus = kvm->max_vcpus + 1;/
