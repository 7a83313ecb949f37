# file: arch/x86/kvm/vmx/tdx.c
# OUT of what is in another register
# tests: tdx_io_test
/^static .*\btdx_emulate_io\(/,/^}/ s/(val = .*)r15/\1r13/
