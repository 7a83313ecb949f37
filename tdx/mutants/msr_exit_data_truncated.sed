# file: arch/x86/kvm/msrs.c
# SPDX-License-Identifier: GPL-2.0
# a read by user space returns only 32 bits
# tests: tdx_msr_exits_test
/^static void complete_userspace_rdmsr\(/,/^}/ s/vcpu->run->msr.data >> 32/0/
