# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the last exit's reason stays when a vCPU waits for a zap of the S-EPT
# race: accept_pending_and_run_after_bus_lock_and_punch_hole
/^fastpath_t tdx_vcpu_run\(/,/^}/ { /exit_reason\.full = EXIT_REASON_UNDEFINED;/d }
