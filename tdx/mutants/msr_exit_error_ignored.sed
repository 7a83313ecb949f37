# file: arch/x86/kvm/msrs.c
# SPDX-License-Identifier: GPL-2.0
# user space's error for an MSR access is ignored
# tests: tdx_msr_exits_test
/^static int complete_fast_msr_access\(/,/^}/ s/vcpu->run->msr.error/0/
