# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a CPU flushes a vCPU that has gone to another CPU meanwhile
# race: migration_and_cpu_offline
/^static void tdx_flush_vp\(/,/^}/ s/if \(unlikely\(vcpu->cpu != raw_smp_processor_id\(\)\)\)/if (0)/
