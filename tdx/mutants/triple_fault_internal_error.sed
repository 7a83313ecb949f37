# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a triple fault exits as an internal error
# tests: tdx_shutdown_test
/^static int __tdx_handle_exit\(/,/^}/ s/exit_reason\.basic != EXIT_REASON_TRIPLE_FAULT\) \{/1) {/
