# SPDX-License-Identifier: GPL-2.0
"""The suite's tests as programs in the box.  They are built into the cache; inside
they also are beside their sources, where a reader looks for them.  They are only
built for a command that names one."""

import os
import re

from parts import TOP

# A path whose last part is a test's name, or a pattern of such names.
NAMES = re.compile(r"[\w./~+@%*?\[\]-]*\btdx_[\w*?\[\]-]*_test(?![\w-]|\.\w)|[\w./~+@%-]*x86/\*")
MAX_SCRIPT = 1 << 16


def script(path):
    """The text of a script, "" for any other file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        data = os.read(fd, MAX_SCRIPT) if os.path.isfile(path) else b""
    except OSError:
        data = b""
    finally:
        os.close(fd)
    return "" if b"\0" in data else data.decode(errors="replace")


def exists(name):
    return not re.search(r"[*?\[]", name) and os.path.exists(name)


def has_source(name):
    """Is there a test that a pattern of the shell's matches?"""
    from fnmatch import fnmatch

    last = name.rpartition("/")[2]
    return any(source.endswith("_test.c") and fnmatch(source[:-2], last)
               for source in os.listdir(TOP / "x86"))


def names_test(command):
    """Does a command, or a script among its words, name tests of the suite that are
    not there on this machine?"""
    texts = [*command, *(script(word) for word in command)]
    return any(not exists(name) and has_source(name)
               for text in texts for name in NAMES.findall(text))


def links(tests):
    """Returns pairs of symbolic links' targets and places, for the tests that were
    built in a directory."""
    built = tests / "x86"
    return [(str(built / name), str(TOP / "x86" / name))
            for name in sorted(os.listdir(built))
            if name.endswith("_test") and not os.path.lexists(TOP / "x86" / name)]
