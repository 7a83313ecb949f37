# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# hypercalls get their second operand as the third one too
# tests: tdx_hypercall_test
/^static .*\btdx_emulate_vmcall\(/,/^}/ s/enter_args\.r13/enter_args.r12/
