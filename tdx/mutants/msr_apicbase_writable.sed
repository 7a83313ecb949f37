# file: arch/x86/kvm/vmx/tdx.c
# the host may write APIC_BASE
# tests: tdx_msr_test
/^static bool tdx_is_read_only_msr\(/,/^}/ s/index == MSR_IA32_APICBASE/false/
