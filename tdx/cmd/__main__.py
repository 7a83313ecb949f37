# SPDX-License-Identifier: GPL-2.0
"""python3 tdx/cmd NAME [ARGUMENT]...: the commands behind tdx/box and make.

Each is a module here with main(arguments), which returns the exit status."""

import importlib
import signal
import sys

COMMANDS = [
    "box",
    "suite",
    "check",
    "cpuid_map",
    "unittests",
]


def end_by_signal(number, _frame):
    raise SystemExit(128 + number)


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"tdx: which command? ({' '.join(COMMANDS)})")
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, end_by_signal)
    sys.exit(importlib.import_module(sys.argv[1]).main(sys.argv[2:]))


if __name__ == "__main__":
    main()
