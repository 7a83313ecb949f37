# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a fault's extended qualification is only read if there was none
# tests: tdx_unaccepted_page_test
/^static noinstr void tdx_vcpu_enter_exit\(/,/^}/ s/^\ttdx->ext_exit_qualification = /\tif (!tdx->ext_exit_qualification)\n\t\ttdx->ext_exit_qualification = /
