# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# every vCPU is a BSP
# tests: tdx_vcpu_init_test
/^static int tdx_vcpu_init\(/,/^}/ s/\(kvm_vcpu_is_reset_bsp\(vcpu\) \? MSR_IA32_APICBASE_BSP : 0\)/MSR_IA32_APICBASE_BSP/
