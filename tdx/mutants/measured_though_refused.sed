# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# KVM measures a page that it failed to add
# tests: tdx_measurement_test
/^static int tdx_gmem_post_populate\(/,/^}/ s/if \(ret \|\| !\(arg->flags/if (!(arg->flags/
