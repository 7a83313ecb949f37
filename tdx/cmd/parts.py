# SPDX-License-Identifier: GPL-2.0
"""The parts of the box from the cache, built where they are missing."""

import pathlib
import signal

TDX = pathlib.Path(__file__).resolve().parent.parent
TOP = TDX.parent


def parts(names, tests=None):
    """Returns a dict of the parts' directories; tests may say which tests are needed,
    as x86/NAME.  Raises SystemExit with what is wrong."""
    import process
    from build import build

    # Until nothing is being started, a signal waits.
    handlers = {number: signal.signal(number, process.children.handle)
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
                if signal.getsignal(number) != signal.SIG_IGN}
    try:
        return build(names, tests)
    except BaseException:
        process.children.end_all()
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
