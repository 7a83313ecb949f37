# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# vCPUs may enter while a zap of the S-EPT is tried again
# race: accept_pending_and_write_and_punch_hole
/^#define tdh_do_no_vcpus/,/^\}\)/ s/WRITE_ONCE\(__kvm_tdx->wait_for_sept_zap, true\);/;/
