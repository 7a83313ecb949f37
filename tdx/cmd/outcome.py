# SPDX-License-Identifier: GPL-2.0
"""How a run of the box ends: exit statuses, and messages on stderr."""

import os

STATUS_KERNEL = 123
STATUS_TIMEOUT = 124
STATUS_BOX = 125


class Failure(Exception):
    """Ends the run with a status, and a line on stderr if there is a text."""

    def __init__(self, text="", status=STATUS_BOX):
        super().__init__(text)
        self.status = status


def write_all(fd, data):
    """Writes all of some bytes."""
    data = memoryview(data)
    while data:
        data = data[os.write(fd, data):]


def complain(text):
    """Writes lines to stderr.  A failure of that cannot be reported."""
    try:
        write_all(2, os.fsencode(text) + b"\n")
    except OSError:
        pass


def say(text):
    complain(f"tdx/box: {text}")
