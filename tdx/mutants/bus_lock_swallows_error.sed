# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# an exit with a bus lock hides that KVM_RUN failed
# invisible: no instruction of a guest has a bus lock and ends an exit in an error
/^int tdx_handle_exit\(/,/^}/ s/if \(ret > 0\)/if (ret)/
