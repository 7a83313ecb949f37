# SPDX-License-Identifier: GPL-2.0
"""Addresses of a kernel in words: its functions, and lines where it was built with them."""

import bisect
import functools
import re
import subprocess


class Symbols:
    def __init__(self, vmlinux):
        self.vmlinux = vmlinux
        found = []
        listed = subprocess.run(["nm", vmlinux], capture_output=True, text=True, check=False)
        for line in listed.stdout.splitlines():
            match = re.fullmatch(r"([0-9a-f]+) [tTwW] (\w[\w.]*)", line)
            if match:
                found.append((int(match[1], 16), match[2]))
        found.sort()
        self.addresses = [address for address, _ in found]
        self.names = [name for _, name in found]

    def function(self, address):
        """Returns the name of the function that has the address, and the offset in it;
        None if there is none."""
        at = bisect.bisect_right(self.addresses, address) - 1
        if at < 0 or address - self.addresses[at] > 1 << 16:
            return None
        return self.names[at], address - self.addresses[at]

    @functools.lru_cache(maxsize=None)
    def line(self, address):
        """Returns " (FILE:LINE)", or "" if that is not known."""
        line = subprocess.run(["addr2line", "-e", self.vmlinux, hex(address)],
                              capture_output=True, text=True, check=False).stdout.split()
        return f" ({line[0].rpartition('/')[2]})" if line and "?" not in line[0] else ""

    def name(self, address):
        """Returns "function+0xoffset", with the line if that is known."""
        found = self.function(address)
        return "%s+0x%x%s" % (*found, self.line(address)) if found else hex(address)

    def caller(self, address):
        """Returns the function that a return address lies in, with the line of the call if
        that is known; "" if there is none."""
        found = self.function(address)
        return found[0] + self.line(address - 1) if found else ""
