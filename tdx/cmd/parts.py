# SPDX-License-Identifier: GPL-2.0
"""The parts of the box from the cache, built where they are missing."""

import os
import pathlib
import sys

from outcome import Failure

TDX = pathlib.Path(__file__).resolve().parent.parent
TOP = TDX.parent


def parts(names, tests=None):
    """Returns a dict of the parts' directories; tests may say which tests are needed,
    as x86/NAME.  What is wrong was said already when this fails."""
    import build

    try:
        found = build.find(names, tests)
    except SystemExit:
        raise Failure() from None
    return found or run_build(names, tests or [])


def run_build(names, tests):
    """Builds the parts in a process of its own, which ends with this one."""
    reader, writer = os.pipe()
    argv = [sys.executable, "-I", TDX / "cmd", "build", *names, *tests]
    builder = os.posix_spawn(sys.executable, argv, {**os.environ, "TMPDIR": "/tmp"},
                             file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)],
                             setsigdef=[13])
    try:
        os.close(writer)
        with open(reader) as stream:
            directories = stream.read().split("\n")[:-1]
        if os.waitstatus_to_exitcode(os.waitpid(builder, 0)[1]):
            raise Failure()
    except BaseException as error:
        if not isinstance(error, Failure):
            os.kill(builder, 15)
            os.waitpid(builder, 0)
        raise
    return {name: pathlib.Path(path) for name, path in zip(names, directories)}
