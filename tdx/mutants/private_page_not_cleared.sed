# file: virt/kvm/guest_memfd.c
# SPDX-License-Identifier: GPL-2.0
# a private page isn't cleared before the guest gets it
# invisible: the page becomes the guest's when it accepts it, which clears it
/^int kvm_gmem_get_pfn\(/,/^}/ s/clear_highpage\(.*$/;/
