# file: arch/x86/kvm/vmx/tdx.c
# the width of GPAs is not shown as configurable
# tests: tdx_capabilities_test
/^static void td_init_cpuid_entry2\(/,/^}/ s/, 0xff\)/, 0)/
