# file: arch/x86/kvm/vmx/tdx.c
# interrupts posted before the entry stay where they are
# tests: tdx_interrupt_test
/^fastpath_t tdx_vcpu_run\(/,/^}/ s/if \(pi_test_on\(/if (0 \&\& pi_test_on(/
