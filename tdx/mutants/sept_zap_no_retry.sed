# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a zap of the S-EPT that found a lock taken is not tried again
# where: inject
/^#define tdh_do_no_vcpus/,/^\}\)/ { /kvm_make_all_cpus_request/,$ s/__err = tdh_func\(args\);/;/ }
