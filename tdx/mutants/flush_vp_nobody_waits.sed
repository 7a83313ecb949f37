# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# nobody waits until another CPU has flushed a vCPU
# race: migration_both_ways write_and_migration accept_and_migration
/^static void tdx_flush_vp_on_cpu\(/,/^}/ { s/static void/&/; s/struct tdx_flush_vp_arg arg = \{/static &/; s/&arg, 1\)/\&arg, 0)/; s/\.vcpu = vcpu,//; s/if \(unlikely\(cpu == -1\)\)/arg.vcpu = vcpu;\n\t&/ }
