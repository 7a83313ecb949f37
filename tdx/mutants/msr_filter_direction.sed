# file: arch/x86/kvm/msrs.c
# SPDX-License-Identifier: GPL-2.0
# a filter for writes is one for reads too
# tests: tdx_msr_filter_test
/^bool kvm_msr_allowed\(/,/^}/ s/\(flags & type\)/flags/
