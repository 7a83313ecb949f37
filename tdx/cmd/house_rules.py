# SPDX-License-Identifier: GPL-2.0
"""Rules of this tree that no other checker knows.  Each function takes a dict of
files' texts by their paths, and returns a list of what breaks the rule."""

import re

MAX_LINES = 700
MAX_BODY = 10
LIMITED = ("x86/", "lib/", "include/", "tdx/module/", "tdx/qemu/")

# Written so that this file does not have it.
LINK_TIME = "--" + "wrap"


def no_long_file(files):
    return [f"{path}: {text.count(chr(10))} lines, {MAX_LINES} at most"
            for path, text in files.items()
            if path.startswith(LIMITED) and text.count("\n") > MAX_LINES]


def no_function_replaced_by_the_linker(files):
    return [f"{path}: {LINK_TIME}" for path, text in files.items()
            if LINK_TIME in text and not path.endswith(".md")]


def no_body_in_a_header(files):
    """A short function may be in a header; what takes more lines goes elsewhere."""
    found = []
    for path, text in files.items():
        if path.endswith(".h"):
            found += [f"{path}:{number}: {name}() has {lines} lines, {MAX_BODY} at most"
                      for number, name, lines in bodies(text) if lines > MAX_BODY]
    return found


def bodies(text):
    """Yields the line, the name and the number of lines of each function's body.  In
    the kernel's style braces of functions are alone on a line, at its beginning."""
    lines = text.split("\n")
    for start, line in enumerate(lines):
        if line != "{":
            continue
        end = next((n for n in range(start, len(lines)) if lines[n].startswith("}")), start)
        head = start
        while head and lines[head - 1].strip() and not re.match(r"[#}/]| \*/", lines[head - 1]):
            head -= 1
        name = re.search(r"(\w+)\(", " ".join(lines[head:start]))
        if name:
            yield start + 1, name[1], end - start - 1


def licence_in_every_file(files):
    return [path for path, text in files.items()
            if text and "SPDX-License-Identifier" not in text]


RULES = {
    "no long file": no_long_file,
    "no function is replaced by the linker": no_function_replaced_by_the_linker,
    "no long function in a header": no_body_in_a_header,
    "licence in every file": licence_in_every_file,
}
