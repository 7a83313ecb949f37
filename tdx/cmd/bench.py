# SPDX-License-Identifier: GPL-2.0
"""bench: "make bench", what the box costs, as ratios.

First what a program sees inside, then from boot to power-off: the box with our
QEMU, and with the same QEMU without anything of ours.  In turns, and the best of
several: what disturbs only ever adds.  Without a module, as what the kernel does
with one is not QEMU's time.  Then tests with a seed and without, and Linux as a TD with
one CPU and with four, which wait in their firmware for most of a boot: all the processors'
time together."""

import resource
import subprocess
import tempfile
import time

import debian
import process
from build import build
from graph import TDX

ROUNDS = 7
TD_ROUNDS = 2


def box(*arguments):
    """Runs the box.  Returns the seconds that it took."""
    began = time.monotonic()
    status = process.wait(process.start([TDX / "box", "run", "--cpus", "2", *arguments],
                                        stdin=subprocess.DEVNULL))
    if status:
        raise SystemExit(status)
    return time.monotonic() - began


def processor_time():
    """Returns the seconds that all children so far have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command, **streams):
    """Returns the command's status, and the seconds of processor time that it took."""
    before = processor_time()
    status = process.wait(process.start([TDX / "box", *command], stdin=subprocess.DEVNULL,
                                        **streams))
    return status, processor_time() - before


def td(cpus):
    """Boots a TD.  Returns the seconds of processor time that it took."""
    with tempfile.NamedTemporaryFile("w") as script, tempfile.TemporaryFile("w+") as console:
        script.write("#!/bin/sh\n")
        script.flush()
        status, seconds = run(["boot", "--cpus", str(cpus), "--script", script.name],
                              stderr=console)
        if status:
            console.seek(0)
            raise SystemExit("".join(console.readlines()[-5:]).rstrip())
    return seconds


SEEDED_TESTS = ["x86/tdx_lifecycle_test", "x86/tdx_memory_test", "x86/tdx_race_test"]


def tests(*options):
    """Runs some tests.  Returns the seconds of processor time that they took."""
    status, seconds = run(["run", *options, "--", "sh", "-c", " && ".join(SEEDED_TESTS)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if status:
        raise SystemExit(f"bench: the tests end with status {status}")
    return seconds


def bench_seed():
    tests()     # builds
    without, seeded = (min(tests(*options) for _ in range(TD_ROUNDS))
                       for options in ((), ("--seed", "1")))
    print(f"tests, processor time without a seed {without:.1f} s, with one {seeded:.1f} s: "
          f"ratio {seeded / without:.2f}")


def bench_tds():
    td(1)       # fetches and builds
    one, four = (min(td(cpus) for _ in range(TD_ROUNDS)) for cpus in (1, 4))
    print(f"Linux as a TD, processor time with one CPU {one:.1f} s, with four {four:.1f} s: "
          f"ratio {four / one:.2f}")


def main(_arguments):
    # What is to be built first is no boot.
    parts = build(["programs", "qemu", "plain", "kernel", "init"])
    box("--", parts["programs"] / "x86/tdx_bench")
    times = [(box("--profile", "none", "--", "true"), box("--plain", "--", "true"))
             for _ in range(ROUNDS)]
    ours, plain = map(min, zip(*times))
    print(f"boot to power-off {ours:.2f} s, with QEMU as it is {plain:.2f} s: "
          f"ratio {ours / plain:.3f}")
    bench_seed()
    if debian.codename():
        bench_tds()
