# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# a CPU that goes offline flushes one vCPU only
# tests: tdx_cpu_offline_test
/^void tdx_disable_virtualization_cpu\(/,/^}/ s/^\t\ttdx_flush_vp\(&arg\);/&\n\t\tbreak;/
