# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# commands on the VM take no lock at all
# race: init_vm_twice finalize_twice init_mem_region_and_finalize
/^int tdx_vm_ioctl\(/,/^}/ { /CLASS\(tdx_vm_state_guard/,/return PTR_ERR/d }
