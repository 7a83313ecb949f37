# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's XCR0 is compared with what TDs could have, not with what this one has
# tests: tdx_host_xstate_test
# where: other
/^static void tdx_load_host_xsave_state\(/,/^}/ s/\(kvm_tdx->xfam & kvm_caps\.supported_xcr0\)/kvm_caps.supported_xcr0/
