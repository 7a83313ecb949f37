# SPDX-License-Identifier: GPL-2.0
"""Insertions into other people's source files, at anchors.

An anchor is a regular expression that has to match exactly once.  Text goes in
before or after it; nothing is ever replaced.
"""
import re
from typing import NamedTuple


class AnchorError(Exception):
    """An anchor is not found exactly once; the message says which and where."""


class Anchor(NamedTuple):
    name: str           # what the insertion is for
    path: str           # the file, relative to the tree
    regex: str          # re.MULTILINE
    text: str           # what is inserted
    where: str = 'after'    # or 'before'


def insert(content, anchor):
    """Returns content with anchor's text in it.  Text that is there already,
    once, is left as it is."""
    if content.count(anchor.text) == 1:
        return content
    found = list(re.finditer(anchor.regex, content, re.MULTILINE))
    if len(found) != 1:
        raise AnchorError(
            f'{anchor.path}: the anchor "{anchor.name}" is found '
            f'{len(found)} times, not once')
    at = found[0].end() if anchor.where == 'after' else found[0].start()
    return content[:at] + anchor.text + content[at:]


def remove(content, texts):
    """Returns content without texts, or None if they are not all there, once
    each.  Content that has none of them is returned as it is."""
    counts = [content.count(text) for text in texts]
    if not any(counts):
        return content
    if any(count != 1 for count in counts):
        return None
    for text in texts:
        content = content.replace(text, '')
    return content
