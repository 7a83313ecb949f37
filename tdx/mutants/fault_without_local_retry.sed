# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a private page's fault isn't retried before the TD is entered again
# invisible: the vCPU enters, faults again and so retries more slowly
/^static int tdx_handle_ept_violation\(/,/^}/ s/local_retry = true;/;/
