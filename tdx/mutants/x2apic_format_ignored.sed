# file: arch/x86/kvm/irq.c
# SPDX-License-Identifier: GPL-2.0
# the upper bits of a destination never count
# tests: tdx_x2apic_api_test
s/x86_msi_msg_get_destid\(&msg, kvm->arch.x2apic_format\)/x86_msi_msg_get_destid(\&msg, false)/
