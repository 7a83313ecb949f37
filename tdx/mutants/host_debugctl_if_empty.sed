# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's DEBUGCTL is only restored if it has nothing that the module clears
# tests: tdx_host_state_test
/^fastpath_t tdx_vcpu_run\(/,/^}/ s/if \((vcpu->arch\.host_debugctl & ~TDX_DEBUGCTL_PRESERVED)\)/if (!(\1))/
