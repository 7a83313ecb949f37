# SPDX-License-Identifier: GPL-2.0
"""make ioctl-sweep: the long form of x86/tdx_ioctl_sweep_test, in the box.

The test makes all calls that it has tables of, and ends at the first that goes wrong, or
with the kernel.  Then this finds the call that is to blame, or the two that are, in fresh
kernels, and lets the test go on behind it."""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace

import process
from kernel_log import SPLAT
from outcome import Failure
from parts import TDX, parts

TEST = "x86/tdx_ioctl_sweep_test"

EVENT = re.compile(r"# (try|found): (.+)/(\w+)/([^/]+) calls (-?\d+) to (\d+): (.*)")
NAME = re.compile(r"# the (first|last) is (.*?),?")
RESULT = re.compile(r"(not )?ok \d+ (# SKIP )?(.*)")
SUM = re.compile(r"# \d+ accepted.*")
KNOWN = re.compile(r"(.+)/(\w+)/([^/:]+): (.*)")

# No call takes so long, and neither does a whole run.
TIMEOUT_S = 5400


@dataclass(frozen=True)
class Calls:
    """Calls of a row in a stage, which one process makes: from first to before end."""
    row: str
    stage: str
    field: str      # of the last call
    first: int
    end: int

    def options(self):
        return ["-r", self.row, "-s", self.stage, "-n", f"{self.first}:{self.end}"]

    def position(self):
        return f"{self.row}/{self.stage}"

    def path(self):
        return f"{self.position()}/{self.field}"


class Run:
    """What one run of the test has told."""

    def __init__(self):
        self.calls = None       # the last that it tried
        self.what = None        # what went wrong with them
        self.is_last = False    # ... when the last of them was made
        self.names = {}
        self.sums = {}          # row: what KVM answered
        self.failed = []        # results that no call explains
        self.sum = ""

    def feed(self, line):
        event, name, result = (regex.fullmatch(line) for regex in (EVENT, NAME, RESULT))
        if event:
            self.calls = Calls(*event.group(2, 3, 4), *map(int, event.group(5, 6)))
            self.names = {"first": event[7], "last": event[7]}
            if event[1] == "found":
                self.what = self.what or event[7]
                self.is_last = True
        elif name:
            self.names[name[1]] = name[2]
        elif SUM.fullmatch(line):
            self.sum = line[2:]
        elif result and not result[2]:
            if self.sum:
                self.sums[result[3]] = self.sum
            if result[1]:
                self.failed.append(result[3])
            self.sum = ""


def complaint(stderr):
    """Returns what the box says of the kernel's end, in a line."""
    splats = [line for line in stderr.splitlines() if SPLAT.search(line)]
    first = re.sub(r"^\s*(\[[^]]*\]\s*)?|, CPU#.*", "", splats[0]) if splats else ""
    if "Kernel panic" in stderr:
        return f"{first}; the kernel panics" if first else "the kernel panics"
    return first or "the box ended: " + (stderr.strip().splitlines() or ["no word"])[-1]


class Sweep:
    def __init__(self, program, box):
        self.program = program
        self.box = box
        self.left_out = []
        self.findings = []      # Calls, what
        self.sums = {}

    def run(self, options, progress=False):
        """Runs the test in a fresh box.  Returns what it told; if the box ended first,
        its last words are what went wrong."""
        run = Run()
        command = [*self.box, "--timeout", str(TIMEOUT_S), "--", self.program, "-l",
                   *options, *(f"-x{path}" for path in self.left_out)]
        ended = False
        # What the box says of a kernel's end may be more than a pipe takes.
        with tempfile.TemporaryFile("w+", errors="replace") as errors:
            box = process.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=errors, text=True, errors="replace")
            with box.stdout:
                for line in box.stdout:
                    run.feed(line.rstrip("\n"))
                    ended |= line.startswith("# Totals: ")
                    if progress:
                        self.show(run)
            process.wait(box)
            errors.seek(0)
            stderr = errors.read()
        if not run.what and not ended:
            if not run.calls:
                raise Failure(stderr.strip() or "the test did not start")
            run.what = complaint(stderr)
        return run

    def show(self, run):
        if run.calls and sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{run.calls.path()[:78]}")
            sys.stderr.flush()

    def what_goes_wrong(self, calls):
        return self.run(calls.options()).what

    def blame(self, calls, is_last):
        """Returns the fewest calls in a row that still go wrong.  is_last: the test says
        that it was the last of them."""
        last = replace(calls, first=calls.end - 1)
        if is_last and self.what_goes_wrong(last):
            return last
        low, high = calls.first + 1, calls.end
        while low < high:
            middle = (low + high) // 2
            if self.what_goes_wrong(replace(calls, end=middle)):
                high = middle
            else:
                low = middle + 1
        calls = replace(calls, end=high)
        low, high = calls.first, calls.end - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.what_goes_wrong(replace(calls, first=middle)):
                low = middle
            else:
                high = middle - 1
        return replace(calls, first=low)

    def add_finding(self, run):
        """Finds the call that made a run go wrong, and leaves its field out from now on."""
        again = self.run(run.calls.options())
        if not again.what:
            raise Failure(f"{run.calls.path()}: {run.what}; that does not happen again")
        calls = self.blame(again.calls, again.is_last)
        if calls != again.calls:
            again = self.run(calls.options())
        calls = replace(calls, field=again.calls.field)
        names = again.names.get("first", ""), again.names.get("last", "")
        both = names[1] if calls.end == calls.first + 1 else " ... ".join(names)
        self.findings.append((calls, both, again.what))
        # If even the sane argument goes wrong, so does any other.
        self.left_out.append(f"{calls.position()}/*" if calls.field == "sane"
                             else calls.path().replace("[", r"\["))
        return self.findings[-1]

    def main(self, options, report):
        """Runs all of the test, and calls report() with each finding."""
        position = []
        while True:
            run = self.run([*options, *position], progress=True)
            self.sums.update(run.sums)
            if not run.what:
                return run
            report(self.add_finding(run))
            position = ["-f", run.calls.position()]


def known_bugs(program):
    """Returns what the test calls known: by row, stage and field."""
    output = subprocess.run([program, "-k"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    return {match.group(1, 2, 3): match[4]
            for match in map(KNOWN.fullmatch, output.splitlines()) if match}


def known_as(known, calls):
    return (known.get((calls.row, calls.stage, calls.field)) or
            known.get((calls.row, calls.stage, "*")))


def main(_arguments):
    try:
        program = parts(["tests"], [TEST])["tests"] / TEST
        parts(["qemu", "kernel", "init"])
        known = known_bugs(program)
        options = [word for option, name in (("-r", "ROW"), ("-s", "STAGE"), ("-f", "FROM"))
                   if os.environ.get(name) for word in (option, os.environ[name])]
        profile = os.environ.get("PROFILE")
        box = [TDX / "box", "run", *(["--profile", profile] if profile else [])]
        sweep = Sweep(program, box)

        def report(finding):
            calls, names, what = finding
            bug = known_as(known, calls)
            print(f"{'known' if bug else 'NEW'}: {calls.position()}: {names}: {what}"
                  f"{f' ({bug})' if bug else ''}", flush=True)

        run = sweep.main(options, report)
        if not sweep.sums and not sweep.findings:
            raise Failure("there is nothing of that name: " + " ".join(options[1::2]))
    except Failure as failure:
        raise SystemExit(f"ioctl-sweep: {failure}" if str(failure) else 1) from None
    for row, answers in sweep.sums.items():
        print(f"{row}: {answers}")
    new = [calls for calls, _, _ in sweep.findings if not known_as(known, calls)]
    for row in run.failed:
        print(f"failed: {row}")
    print(f"{len(sweep.sums)} rows, {len(sweep.findings)} findings, {len(new)} of them new")
    return 1 if new or run.failed else 0
