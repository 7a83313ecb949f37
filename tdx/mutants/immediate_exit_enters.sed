# file: arch/x86/kvm/x86.c
# SPDX-License-Identifier: GPL-2.0
# KVM_RUN enters the guest despite immediate_exit
# tests: tdx_exits_test
/^int kvm_arch_vcpu_ioctl_run\(/,/^}/ s/if \(!vcpu->wants_to_run\) \{/if (0) {/
