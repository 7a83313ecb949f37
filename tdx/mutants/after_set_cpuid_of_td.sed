# file: arch/x86/kvm/vmx/main.c
# SPDX-License-Identifier: GPL-2.0
# CPUID that is set for a TD's vCPU is handled as a VM's
/^static void vt_vcpu_after_set_cpuid\(/,/^}/ s/if \(is_td_vcpu\(vcpu\)\)/if (0)/
