# file: virt/kvm/kvm_main.c
# the vCPUs of a dead VM still take ioctls
# tests: tdx_exits_test
/^static long kvm_vcpu_ioctl\(/,/^}/ s/ \|\| vcpu->kvm->vm_dead//
