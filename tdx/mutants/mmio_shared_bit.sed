# file: arch/x86/kvm/vmx/tdx.c
# the GPA of MMIO has the shared bit
# tests: tdx_mmio_test
/^static .*\btdx_emulate_mmio\(/,/^}/ {
/gpa = gpa &/d
}
