# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# access to an unaccepted page returns another errno
# tests: tdx_unaccepted_page_test
/^static int tdx_handle_ept_violation\(/,/^}/ { /kvm_vm_dead\(/ { n; s/EIO/EFAULT/; }; }
