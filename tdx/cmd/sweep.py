# SPDX-License-Identifier: GPL-2.0
"""make run_tests PROFILE=random:A..B: the suite on a module and a machine drawn from
each of the seeds.  KTAP, a line for each seed; what a failed run printed follows it.
A case that is skipped on all of them is a failure of the suite."""

import os
import re
import subprocess
import sys

import ktap
from parts import TDX

SEEDS = re.compile(r"random:([0-9]{1,9})\.\.([0-9]{1,9})")


def seeds(profile):
    """Returns the seeds that PROFILE names, or None if it names no range of them."""
    match = SEEDS.fullmatch(profile or "")
    if not match:
        return None
    first, last = int(match[1]), int(match[2])
    if first > last:
        raise SystemExit(f"run_tests: PROFILE={profile}: no such range")
    return range(first, last + 1)


def run_suite(profile):
    """Returns the exit status of the suite and what it printed."""
    run = subprocess.run([sys.executable, "-I", TDX / "cmd", "suite"],
                         env={**os.environ, "PROFILE": profile, "HOST": "box"},
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                         errors="replace")
    return run.returncode, run.stdout.splitlines()


class Tally:
    """How often each case was skipped, and how often it ran."""

    def __init__(self):
        self.ran = set()
        self.skipped = {}       # reasons, by case

    def add(self, reader):
        for case in reader.cases:
            key = case.test, case.name
            if case.result == "skip":
                self.skipped.setdefault(key, set()).add(case.reason)
            else:
                self.ran.add(key)

    def never_ran(self):
        """Returns the cases that were skipped each time, with the reasons."""
        return {" ".join(filter(None, case)): sorted(reasons)
                for case, reasons in sorted(self.skipped.items()) if case not in self.ran}


# Reasons that no drawn machine does away with: the user has to ask, the module's source is
# not published, or it takes another kernel.
ASKED_FOR = re.compile(r"TDX_RACES|TDX_MAY_HARM_HOST|TDG\.MEM\.PAGE\.RELEASE|tracefs")


def main(which):
    tally = Tally()
    failed = 0
    print(f"TAP version 13\n1..{len(which) + 1}", flush=True)
    for number, seed in enumerate(which, 1):
        status, lines = run_suite(f"random:{seed}")
        reader = ktap.read(lines)
        tally.add(reader)
        ok = not status and not reader.failures()
        failed += not ok
        totals = ktap.totals_line(reader.totals()).removeprefix("# ")
        print(f"{'ok' if ok else 'not ok'} {number} random:{seed} # {totals}", flush=True)
        if not ok:
            print("\n".join(f"# | {line}" for line in lines), flush=True)
    never = {case: reasons for case, reasons in tally.never_ran().items()
             if not any(ASKED_FOR.search(reason) for reason in reasons)}
    print(f"{'not ok' if never else 'ok'} {len(which) + 1} each case runs on some of them")
    for case, reasons in never.items():
        print(f"# {case}: {'; '.join(reasons)}")
    return 1 if failed or never else 0
