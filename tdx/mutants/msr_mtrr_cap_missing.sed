# file: arch/x86/kvm/vmx/tdx.c
# MTRRcap is not emulated
# tests: tdx_msr_test
/^bool tdx_has_emulated_msr\(/,/^}/ { /case MSR_MTRRcap:/d; }
