# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# an NMI of the host's is an exit to user space
# tests: tdx_host_nmi_test
/^static int tdx_handle_exception_nmi\(/,/^}/ s/if \(is_nmi\(intr_info\) \|\| /if (/
