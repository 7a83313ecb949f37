# file: arch/x86/kvm/vmx/tdx.c
# KVM takes its own TSC for the TD's
# tests: tdx_interrupt_test
/^int tdx_vcpu_create\(/,/^}/ s/l1_tsc_offset = vcpu->arch\.tsc_offset/l1_tsc_offset = 0/
