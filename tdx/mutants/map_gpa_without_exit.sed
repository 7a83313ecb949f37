# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# MapGPA exits to user space that didn't enable the exit
# tests: tdx_map_gpa_test
/^static .*\btdx_map_gpa\(/,/^}/ s/if \(!user_exit/if (0 \&\& !user_exit/
