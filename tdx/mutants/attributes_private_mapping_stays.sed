# file: arch/x86/kvm/mmu/mmu.c
# SPDX-License-Identifier: GPL-2.0
# making memory shared doesn't zap the private mapping
# tests: tdx_conversion_test
/^bool kvm_arch_pre_set_memory_attributes\(/,/^}/ s/range->attr_filter = KVM_FILTER_PRIVATE/range->attr_filter = KVM_FILTER_SHARED/
