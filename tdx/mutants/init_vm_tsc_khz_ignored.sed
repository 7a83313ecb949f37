# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a TD always gets the host's TSC frequency
# tests: tdx_tsc_frequency_test
/^static int setup_tdparams\(/,/^}/ s/kvm->arch.default_tsc_khz/tsc_khz/
