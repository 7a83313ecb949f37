# SPDX-License-Identifier: GPL-2.0
"""The suite's tests, and its other programs, in the box.  They are built into the
cache; inside they also are beside their sources, where a reader looks for them.  They
are only built for a command that names one."""

import os
import re

from parts import TOP

# Paths in a text, patterns of the shell's among them; and what their last part is if
# they name tests.
PATHS = re.compile(r"[\w./~+@%*?\[\]-]+")
TESTS = re.compile(r"tdx_[\w*?\[\]-]*|\*")
MAX_SCRIPT = 1 << 16


def script(path):
    """The text of a script, "" for any other file."""
    # To open what is no regular file may do something, or wait.
    if not os.path.isfile(path):
        return ""
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(MAX_SCRIPT)
    except OSError:
        return ""
    return "" if b"\0" in data else data.decode(errors="replace")


def names(text):
    """The paths in a text that name tests."""
    if "tdx_" not in text and "x86/*" not in text:
        return []
    found = (path.rstrip(".") for path in PATHS.findall(text))
    return [path for path in found if TESTS.fullmatch(path.rpartition("/")[2]) and
            (not path.endswith("*") or path.endswith("x86/*"))]


def exists(name):
    return not re.search(r"[*?\[]", name) and os.path.exists(name)


def matching(name):
    """The tests that a pattern of the shell's matches, as x86/NAME."""
    from fnmatch import fnmatch

    last = name.rpartition("/")[2]
    return {f"x86/{source[:-2]}" for source in os.listdir(TOP / "x86")
            if re.fullmatch(r"tdx_\w+\.c", source) and fnmatch(source[:-2], last)}


def named_tests(command):
    """The tests of the suite that a command, or a script among its words, names and
    that are not there on this machine; in order, as x86/NAME."""
    texts = [*command, *(script(word) for word in command)]
    found = set()
    for text in texts:
        for name in names(text):
            if not exists(name):
                found |= matching(name)
    return sorted(found)


def links(tests):
    """Returns pairs of symbolic links' targets and places, for the tests that were
    built in a directory."""
    built = tests / "x86"
    return [(str(built / name), str(TOP / "x86" / name))
            for name in sorted(os.listdir(built))
            if re.fullmatch(r"tdx_\w+", name) and not os.path.lexists(TOP / "x86" / name)]
