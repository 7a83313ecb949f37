# file: arch/x86/virt/vmx/tdx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# the version from before an update of the module is announced
# where: update
/^int tdx_module_run_update\(/,/^}/ s/ret = get_tdx_sys_info_version\(&tdx_sysinfo\.version\);/;/
