# SPDX-License-Identifier: GPL-2.0
"""bench: "make bench", what the box costs, as ratios.

First what a program sees inside, then from boot to power-off: the box with our
QEMU, and with the same QEMU without anything of ours.  In turns, and the best of
several: what disturbs only ever adds.  Without a module, as what the kernel does
with one is not QEMU's time."""

import subprocess
import time

import process
from build import build
from graph import TDX

ROUNDS = 7


def box(*arguments):
    """Runs the box.  Returns the seconds that it took."""
    began = time.monotonic()
    status = process.wait(process.start([TDX / "box", "run", "--cpus", "2", *arguments],
                                        stdin=subprocess.DEVNULL))
    if status:
        raise SystemExit(status)
    return time.monotonic() - began


def main(_arguments):
    # What is to be built first is no boot.
    parts = build(["programs", "qemu", "plain", "kernel", "init"])
    box("--", parts["programs"] / "x86/tdx_bench")
    times = [(box("--profile", "none", "--", "true"), box("--plain", "--", "true"))
             for _ in range(ROUNDS)]
    ours, plain = map(min, zip(*times))
    print(f"boot to power-off {ours:.2f} s, with QEMU as it is {plain:.2f} s: "
          f"ratio {ours / plain:.3f}")
