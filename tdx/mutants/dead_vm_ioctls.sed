# file: virt/kvm/kvm_main.c
# a dead VM still takes ioctls
# tests: tdx_exits_test
/^static long kvm_vm_ioctl\(/,/^}/ s/ \|\| kvm->vm_dead//
