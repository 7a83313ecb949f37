# file: arch/x86/kvm/vmx/tdx.c
# port I/O of 8 bytes
# tests: tdx_io_test
/^static .*\btdx_emulate_io\(/,/^}/ s/size != 4\)/size != 4 \&\& size != 8)/
