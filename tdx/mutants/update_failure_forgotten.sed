# file: arch/x86/virt/vmx/tdx/seamldr.c
# SPDX-License-Identifier: GPL-2.0
# a CPU that fails to install a module is not counted
# where: update
/^static void ack_state\(/,/^}/ s/ctrl->num_failed \+= !!result;/;/
