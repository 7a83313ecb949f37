# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the host's GS base of the first run is restored after each
# tests: tdx_host_state_test
/^void tdx_prepare_switch_to_guest\(/,/^}/ s/vt->msr_host_kernel_gs_base = current->thread\.gsbase;/{ if (!vt->msr_host_kernel_gs_base) & }/
