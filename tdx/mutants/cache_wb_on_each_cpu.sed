# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# each CPU of a package writes its caches back
/^void tdx_mmu_release_hkid\(/,/^}/ s/if \(packages_allocated &&/if (0 \&\& packages_allocated \&\&/
