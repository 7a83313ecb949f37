# file: arch/x86/kvm/vmx/tdx.c
# a TD believes in more vCPUs than KVM allows
# tests: tdx_init_vm_test
/^static int setup_tdparams\(/,/^}/ s/td_params->max_vcpus = kvm->max_vcpus;/td_params->max_vcpus = kvm->max_vcpus + 1;/
