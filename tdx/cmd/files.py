# SPDX-License-Identifier: GPL-2.0
"""Directories of files that are kept alike."""

import filecmp
import os
import re
import shutil


def relevant(name):
    """Whether a file of ours is more than what an editor or a merge leaves."""
    return not re.search(r"^[.#]|~$|\.(orig|rej|bak|swp|pyc)$|^__pycache__$", name)


def mirror(here, there):
    """Makes there like here, which are files, directories or links.  Touches only
    what differs, so that make and ninja rebuild no more than they must."""
    if os.path.islink(here):
        if not os.path.islink(there) or os.readlink(here) != os.readlink(there):
            remove(there)
            os.symlink(os.readlink(here), there)
    elif os.path.isdir(here):
        if not os.path.isdir(there) or os.path.islink(there):
            remove(there)
            os.mkdir(there)
        names = set(os.listdir(here))
        for name in set(os.listdir(there)) - names:
            remove(os.path.join(there, name))
        for name in names:
            mirror(os.path.join(here, name), os.path.join(there, name))
    elif os.path.islink(there) or not os.path.isfile(there) or \
            not filecmp.cmp(here, there, shallow=False):
        remove(there)
        shutil.copyfile(here, there)
        shutil.copymode(here, there)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)
