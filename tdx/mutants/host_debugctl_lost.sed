# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's DEBUGCTL is not restored, as before 6.17
# tests: tdx_host_state_test
/^fastpath_t tdx_vcpu_run\(/,/^}/ s/update_debugctlmsr\(.*\);/{ }/
