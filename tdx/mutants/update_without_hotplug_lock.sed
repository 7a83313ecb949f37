# file: arch/x86/virt/vmx/tdx/seamldr.c
# SPDX-License-Identifier: GPL-2.0
# CPUs may come and go during an update of the module
# needs: schedule
/^int seamldr_install_module\(/,/^}/ { /cpus_read_(un)?lock/d; s/stop_machine_cpuslocked/stop_machine/ }
