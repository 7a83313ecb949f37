# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MMIO writes change the result register
# tests: tdx_passthrough_test
/^static .*\btdx_emulate_mmio\(/,/^}/ s/if \(write\)/if (write \&\& ({ tdvmcall_set_return_val(vcpu, 0); 1; }))/
