# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU enters though a zap of the S-EPT is tried again
# race: accept_pending_and_write_and_punch_hole
/^fastpath_t tdx_vcpu_run\(/,/^}/ s/if \(unlikely\(READ_ONCE\(to_kvm_tdx\(vcpu->kvm\)->wait_for_sept_zap\)\)\)/if (0)/
