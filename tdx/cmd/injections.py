# SPDX-License-Identifier: GPL-2.0
"""Calls of the module that fail: what "make check PARTS=inject" runs, and "make
mutants" for a mutant that the suite alone does not see."""

import collections

from parts import TDX

# What is injected, and the command that has to bear it.
Injection = collections.namedtuple("Injection", "name plan command")

SEVERAL_TESTS = 'cd "$1" && ./tdx_lifecycle_test && ./tdx_conversion_test'

# Failures that KVM has to bear: a name, the plan, more tests than the usual ones.
BORNE = [
    ("S-EPT locks are taken",
     "TDH.MEM.SEPT.ADD:OPERAND_BUSY+TDH.MEM.PAGE.AUG:OPERAND_BUSY+"
     "TDH.MEM.RANGE.BLOCK:OPERAND_BUSY+TDH.MEM.PAGE.REMOVE:OPERAND_BUSY",
     " && ./tdx_memory_race_test"),
    ("a TD's locks are taken", "TDH.MEM.PAGE.ADD:OPERAND_BUSY+TDH.VP.ENTER:OPERAND_BUSY", ""),
    ("no entropy", "TDH.MNG.CREATE:RND_NO_ENTROPY", ""),
    ("interrupted cache write-back", "TDH.PHYMEM.CACHE.WB:INTERRUPTED_RESUMABLE", ""),
    ("spurious EPT violations", "TDG.VP.VMCALL:ept-violation", ""),
    ("SMIs of the host", "TDG.VP.VMCALL:smi", ""),
]


# Programs that run while calls fail, and what they want to be injected.
INSIDE = TDX / "module/inside"


def lines(path):
    """Returns the lines of a file without its comments."""
    return [line for line in path.read_text().splitlines()
            if line and not line.startswith("#")]


def rules(path):
    """Returns a file of rules as a plan."""
    return "+".join(lines(path))


def failures_plan():
    """Returns what tdx_failures wants to be injected."""
    return rules(INSIDE / "tdx_failures.plan")


def injections(tests, programs):
    """Returns all of them, for the directories of the tests and of the programs."""
    found = [Injection(name, plan, ["sh", "-c", SEVERAL_TESTS + also, "-", tests])
             for name, plan, also in BORNE]
    found.append(Injection("what KVM can't bear", failures_plan(),
                           [programs / "tdx_failures"]))
    return found
