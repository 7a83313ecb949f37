# SPDX-License-Identifier: GPL-2.0
"""python3 tdx/cmd NAME [ARGUMENT]...: the commands behind tdx/box and make.

Each is a module here with main(arguments), which returns the exit status."""

import importlib
import sys

import process

COMMANDS = [
    "build",
    "suite",
    "check",
    "coverage",
    "mutants",
    "races",
    "bench",
    "cpuid_map",
    "ioctl_sweep",
    "fuzz_kvm",
    "tarball",
    "unittests",
]


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        process.die(f"which command? ({' '.join(COMMANDS)})")
    module = importlib.import_module(sys.argv[1])
    sys.exit(process.run_main(module.main, sys.argv[2:]))


if __name__ == "__main__":
    main()
