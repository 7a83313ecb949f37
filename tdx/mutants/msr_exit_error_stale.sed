# file: arch/x86/kvm/msrs.c
# SPDX-License-Identifier: GPL-2.0
# an MSR exit doesn't clear the error in kvm_run
# tests: tdx_msr_exits_test
/^static int kvm_msr_user_space\(/,/^}/ { /msr.error = 0;/d; }
