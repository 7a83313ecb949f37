# file: arch/x86/kvm/msrs.c
# SPDX-License-Identifier: GPL-2.0
# user space's value for a read is cut to 32 bits
# tests: tdx_msr_exits_test
/^static void complete_userspace_rdmsr\(/,/^}/ s/vcpu->run->msr.data >> 32/0/
