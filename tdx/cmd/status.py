# SPDX-License-Identifier: GPL-2.0
"""What the machine says of how its command ended.  It comes from inside, where root
can put anything there: a number is digits, and text is only printed."""

import re

from kernel_log import printable

MAX_SIZE = 1000     # bytes that are looked at


def parse(data):
    """Takes the bytes of the status.  Returns ("exit", N), ("signal", N),
    ("error", TEXT), ("none", "") if there is nothing, or ("nonsense", "")."""
    if not data:
        return "none", ""
    line = printable(data[:MAX_SIZE].split(b"\n")[0])
    match = re.fullmatch("(exit|signal) ([0-9]{1,3})", line)
    if match and int(match[2]) < 256:
        return match[1], int(match[2])
    if line.startswith("error "):
        return "error", line.removeprefix("error ")
    return "nonsense", ""
