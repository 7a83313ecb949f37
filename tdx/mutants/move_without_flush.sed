# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a vCPU that moves to another CPU is not flushed on the old one
# tests: tdx_vcpu_migration_test
/^void tdx_vcpu_load\(/,/^}/ s/tdx_flush_vp_on_cpu\(vcpu\);//
