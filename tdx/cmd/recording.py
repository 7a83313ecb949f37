# SPDX-License-Identifier: GPL-2.0
"""What x86/tdx_profile recorded of a TDX module, and how two recordings differ.

A recording is lines of a name, a blank and a value; see include/x86/tdx/profile.h.  It
may be a section of a report.
A name that ends in .msr.0xFIRST-0xLAST stands for all MSRs of the range."""

import os
import re
import subprocess
import tempfile
from collections import namedtuple

from outcome import Failure, write_all
from parts import TDX

FIRST_LINE = "tdx-profile 1"
NEXT_SECTION = "====="
RANGE = re.compile(r"(.*\.msr\.)0x([0-9a-f]+)(?:-0x([0-9a-f]+))?")
MAX_LINES = 1 << 17
MAX_MSRS = 1 << 17      # in one range

ABSENT = "-"

MAX_CPUS = 8


def msr_range(name):
    """Returns what comes before the MSRs in a name, and the range of them; or None."""
    match = RANGE.fullmatch(name)
    if not match:
        return None
    first, last = int(match[2], 16), int(match[3] or match[2], 16)
    if not 0 <= last - first < MAX_MSRS:
        raise ValueError(f"no range of MSRs: {name}")
    return match[1], range(first, last + 1)


def parse(lines):
    """Returns the facts of a recording by name.  An MSR's name is (PREFIX, INDEX)."""
    facts = {}
    started = False
    for number, line in enumerate(lines, 1):
        if number > MAX_LINES:
            raise ValueError("too many lines")
        if not started:
            started = line == FIRST_LINE
            continue
        if line.startswith(NEXT_SECTION):
            break
        name, blank, value = line.partition(" ")
        if not blank or not name:
            raise ValueError(f"line {number} has no name and value")
        of_msrs = msr_range(name)
        names = [(of_msrs[0], msr) for msr in of_msrs[1]] if of_msrs else [name]
        for each in names:
            if each in facts:
                raise ValueError(f"line {number} repeats a name: {name}")
            facts[each] = value
    if not started:
        raise ValueError(f'it has no line "{FIRST_LINE}"')
    return facts


def load(path):
    """Returns the facts of the file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return parse(file.read().split("\n")[:-1])
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}")
    except ValueError as error:
        raise Failure(f"{path} is not a recording: {error}")


def together(changes):
    """Joins neighbouring MSRs that differ in the same way.  Takes and gives triples of
    a name and two values, where the names that are given are text."""
    run = []

    def joined():
        prefix, first = run[0][0]
        last = run[-1][0][1]
        text = f"{prefix}{first:#x}" + (f"-{last:#x}" if last != first else "")
        return text, *run[0][1:]

    for name, *values in changes:
        if run and (isinstance(name, str) or name != (run[-1][0][0], run[-1][0][1] + 1) or
                    values != list(run[0][1:])):
            yield joined()
            run = []
        if isinstance(name, str):
            yield name, *values
        else:
            run.append((name, *values))
    if run:
        yield joined()


def differences(a, b):
    """Yields a line for each fact that two recordings disagree about."""
    names = [*a, *(name for name in b if name not in a)]
    changes = ((name, a.get(name, ABSENT), b.get(name, ABSENT)) for name in names
               if a.get(name) != b.get(name))
    for name, one, other in together(changes):
        yield f"{name}: {one} | {other}"


def is_file(profile):
    """Whether a profile is a recording, rather than a name."""
    return os.path.isfile(profile) or profile.startswith(("/", "./", "../"))


def number(facts, name, default=0):
    """The number that a fact begins with."""
    try:
        return int(facts[name].split()[0], 0)
    except (KeyError, ValueError):
        return default


# A machine's CPUs, how many of them are in each core, and options of its kernel, which
# end with a blank.
Machine = namedtuple("Machine", "cpus threads kernel_options")

# Intel's module refuses a CPU without a PMU, but KVM need not have one for VMs.
NO_PMU_FOR_VMS = "kvm.enable_pmu=0 "
CAP_PMU_CAPABILITY = "kvm.cap.212"


def recorded_machine(facts):
    """Returns the machine that is like a recorded one.  More CPUs only make it slow."""
    cpus = max(1, min(MAX_CPUS, number(facts, "host.cpus", 4)))
    lowest_level = facts.get("cpu.cpuid.0xb.0", "").split()
    threads = 2 if lowest_level[1:2] == ["0x00000002"] and cpus % 2 == 0 else 1
    return Machine(cpus, threads, "" if CAP_PMU_CAPABILITY in facts else NO_PMU_FOR_VMS)


def record(profile, like=None):
    """Returns the facts of the module that the box has by that profile, in a machine
    whose CPUs are like those of a recording."""
    machine = []
    if like:
        cpus, threads, kernel_options = recorded_machine(like)
        machine = ["--cpus", str(cpus), "--threads", str(threads), "--append", kernel_options]
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "recording")
        command = [TDX / "box", "run", *machine, "--profile", profile, "--out", directory,
                   "--", "x86/tdx_profile", path]
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, cwd=TDX.parent)
        if run.returncode:
            write_all(2, run.stdout)
            raise Failure(f"the module of profile {profile} can't be recorded")
        return load(path)


def diff(names):
    """Prints how two recordings, or the modules of two profiles, differ; or how a file
    differs from what --profile makes of it.  Returns the exit status: 1 if they do."""
    if len(names) == 1 and is_file(names[0]):
        import likeness
        lines = likeness.left(names[0], load(names[0]))
    elif len(names) == 2:
        lines = differences(*(load(name) if is_file(name) else record(name)
                              for name in names))
    else:
        raise Failure("usage: tdx/box diff A B, where each is a file or a profile, or "
                      "tdx/box diff FILE")
    text = "".join(line + "\n" for line in lines)
    write_all(1, text.encode())
    return 1 if text else 0
