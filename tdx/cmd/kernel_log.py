# SPDX-License-Identifier: GPL-2.0
"""The log of the kernel in the box, read as it is written.

Root inside writes there what it likes.  So nothing of it is taken for a regular
expression or reaches a terminal unescaped, and what is kept of it is bounded."""

import re

# A kernel that complains like this has a bug, or found one.
SPLAT = re.compile("|".join([
    "WARNING: ", "BUG: ", "Oops", "general protection", "kernel BUG at", "Kernel panic",
    "SEAMCALL .*failed", "INFO: rcu", "rcu: INFO", "self-detected stall",
    "possible recursive locking", "possible circular locking", "suspicious RCU usage",
    "inconsistent lock state", "UBSAN:", "KASAN:", "unreferenced object 0x",
    "ODEBUG: "]))

# Data races that KCSAN meets now and then, whichever test runs; see docs/kvm-bugs.md.  *
# stands for any function.
KNOWN_RACES = (
    "* / pvclock_gtod_notify",
    "pvclock_gtod_notify / *",
    "kvm_mmu_faultin_pfn / kvm_mmu_invalidate_end",
    "kvm_mmu_faultin_pfn / kvm_mmu_invalidate_start",
    "kvm_mmu_faultin_pfn / kvm_mmu_unmap_gfn_range",
    "kvm_swap_active_memslots / kvm_vcpu_gfn_to_memslot",
    "kvm_arch_vcpu_ioctl_run / kvm_arch_vcpu_should_kick",
    "kvm_arch_vcpu_ioctl_run / kvm_make_vcpu_request",
    "kvm_arch_vcpu_ioctl_run / tdx_deliver_interrupt",
    "kvm_arch_vcpu_destroy / kvm_arch_vcpu_load",
)

# How the program that runs announces a complaint, or a case that the machine may not
# survive, and how init and the runner name what they start.
EXPECTS = "kselftest: expects: "
MAY_HARM = "kselftest: may harm the host: "
RUN = "tdx-box: run "
OURS = "tdx-box: "

INTERRUPTED = "** replaying previous printk message **"

MAX_LINE = 4000         # characters
MAX_EXPECTED = 1000     # announcements that wait for their complaint
MAX_REPORT = 500        # lines of complaints
LINES_PER_SPLAT = 30
LAST_LINES = 10


def printable(data):
    """Returns bytes as text without control characters: tabs stay, the rest goes,
    and what is not ASCII is escaped."""
    text = data.decode("ascii", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c for c in text if c == "\t" or c.isprintable())


def matches(line, pattern):
    """Is one of the alternatives of a pattern in the line?  | separates them, and *
    stands for anything."""
    return any(choice and has_pieces(line, choice.split("*"))
               for choice in pattern.split("|"))


def has_pieces(line, pieces):
    at = 0
    for piece in pieces:
        at = line.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


class KernelLog:
    def __init__(self, copy=None):
        """copy is called with each line, if it is given."""
        self.copy = copy
        self.rest = b""         # the beginning of a line
        self.held = ""          # a line that may yet turn out to be interrupted
        self.again = False      # the kernel is about to repeat that line
        self.last = []
        self.running = ""
        self.may_harm = ""      # the case of that kind that began last
        self.expected = []
        self.report = []
        self.wanted = 0         # lines that still belong to the complaint
        self.left_out = 0
        self.complained_while = ""

    def feed(self, data):
        """Takes bytes as they come."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.take(printable(line[:MAX_LINE]))
        while len(self.rest) > MAX_LINE:
            self.take(printable(self.rest[:MAX_LINE]))
            self.rest = self.rest[MAX_LINE:]

    def finish(self):
        """There is no more to come."""
        self.take(printable(self.rest))
        self.take("")
        self.rest = b""

    def take(self, line):
        """A line that was interrupted is in the log twice, first only a part of it;
        the kernel says so in between."""
        if line == INTERRUPTED:
            self.again = True
            return
        repeated = self.again and (line.startswith(self.held) or self.held.startswith(line))
        if self.held and not repeated:
            self.judge(self.held)
        self.held = line
        self.again = False

    def judge(self, line):
        if self.copy:
            self.copy(line)
        self.last = [*self.last, line][-LAST_LINES:]
        if RUN in line:
            self.running = line.rpartition(RUN)[2]
        elif EXPECTS in line:
            if len(self.expected) < MAX_EXPECTED:
                self.expected.append(line.rpartition(EXPECTS)[2])
        elif MAY_HARM in line:
            self.may_harm = line.rpartition(MAY_HARM)[2]
        elif OURS not in line:
            self.look_for_splat(line)

    def look_for_splat(self, line):
        if SPLAT.search(line):
            if any(matches(line, f"KCSAN: data-race in {race}") for race in KNOWN_RACES):
                return
            for number, pattern in enumerate(self.expected):
                if matches(line, pattern):
                    del self.expected[number]
                    return
            if not self.report:
                self.complained_while = (f"running {self.running}" if self.running
                                         else "booting")
            self.wanted = LINES_PER_SPLAT
        if self.wanted:
            self.wanted -= 1
            if len(self.report) < MAX_REPORT:
                self.report.append(line)
            else:
                self.left_out += 1
        if "end trace" in line:
            self.wanted = 0

    def complaint(self):
        """Returns what the kernel complained about but for what was announced; "" if
        there is nothing."""
        if not self.report:
            return ""
        lines = [f"tdx/box: the kernel complained while {self.complained_while}:",
                 *(f"    {line}" for line in self.report)]
        if self.left_out:
            lines.append(f"    and {self.left_out} more lines")
        return "\n".join(lines)

    def last_lines(self):
        return "\n".join(f"    {line}" for line in self.last)
