# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's XSS is not restored
/^static void tdx_load_host_xsave_state\(/,/^}/ s/wrmsrq\(MSR_IA32_XSS, kvm_host\.xss\);/;/
