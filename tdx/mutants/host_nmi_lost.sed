# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's handler is not called for an NMI that ends in a TD exit
# tests: tdx_host_nmi_test
/tdx_vcpu_enter_exit\(struct/,/^}/ s/vmx_handle_nmi\(vcpu\);/;/
