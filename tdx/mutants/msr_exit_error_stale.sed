# file: arch/x86/kvm/msrs.c
# SPDX-License-Identifier: GPL-2.0
# an MSR exit presets no error
# tests: tdx_msr_exits_test
/^static int kvm_msr_user_space\(/,/^}/ { /msr.error = 0;/d; }
