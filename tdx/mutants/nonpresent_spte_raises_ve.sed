# file: arch/x86/kvm/mmu/spte.h
# SPDX-License-Identifier: GPL-2.0
# shared memory that KVM has not mapped yet raises #VE
# tests: tdx_ve_test
/define SHADOW_NONPRESENT_VALUE/ s/BIT_ULL\(63\)/0ULL/
