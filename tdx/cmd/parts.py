# SPDX-License-Identifier: GPL-2.0
"""The parts of the box from the cache, built where they are missing."""

import os
import pathlib

from outcome import Failure

TDX = pathlib.Path(__file__).resolve().parent.parent
TOP = TDX.parent


def parts(names, tests=None):
    """Returns a dict of the parts' directories; tests may say which tests are needed,
    as x86/NAME.  What is wrong was said already when this fails."""
    reader, writer = os.pipe()
    builder = os.posix_spawn(str(TDX / "build"), ["build", *names],
                             {**os.environ, "TMPDIR": "/tmp"},
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
