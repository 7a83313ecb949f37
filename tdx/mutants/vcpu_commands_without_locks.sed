# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# commands on a vCPU take no lock at all
# race: init_vcpu_twice init_mem_region_of_same_pages init_mem_region_and_finalize
/^int tdx_vcpu_unlocked_ioctl\(/,/^}/ { /CLASS\(tdx_vm_state_guard/,/return PTR_ERR/d }
