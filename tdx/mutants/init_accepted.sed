# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# a TD's vCPU accepts INIT
# tests: tdx_mp_state_test
/^static bool vt_apic_init_signal_blocked\(/,/^}/ s/return true;/return false;/
