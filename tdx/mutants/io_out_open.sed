# file: arch/x86/kvm/vmx/tdx.c
# OUT does not end, and the next IN is taken for its end
# tests: tdx_io_test
/^static .*\btdx_complete_pio_out\(/,/^}/ {
/pio\.count = 0/d
}
