# file: arch/x86/kvm/msrs.c
# SPDX-License-Identifier: GPL-2.0
# a filter for writes also filters reads
# tests: tdx_msr_filter_test
/^bool kvm_msr_allowed\(/,/^}/ s/\(flags & type\)/flags/
