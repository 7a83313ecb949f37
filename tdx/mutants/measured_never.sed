# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# memory is never measured
# tests: tdx_measurement_test
/^static int tdx_gmem_post_populate\(/,/^}/ s/if \(ret \|\| !\(arg->flags & KVM_TDX_MEASURE_MEMORY_REGION\)\)/if (1)/
