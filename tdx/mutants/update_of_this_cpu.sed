# file: arch/x86/virt/vmx/tdx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# after an update of the module only this CPU is initialised again
# where: update
/^int tdx_module_shutdown\(/,/^}/ s/for_each_possible_cpu\(cpu\)/for (cpu = 0; cpu < 1; cpu++)/
