# SPDX-License-Identifier: GPL-2.0
"""The build graph: parts that answer by name."""

import os
import pathlib
import threading

import cache
import debian
from process import say

TDX = pathlib.Path(__file__).resolve().parent.parent
TOP = TDX.parent


def ksrc():
    """Returns the user's own kernel tree, or None."""
    return os.environ.get("KSRC") or None


def program(name):
    """Returns the path of a program, or None."""
    for where in os.environ.get("PATH", os.defpath).split(":"):
        path = os.path.join(where, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return os.path.realpath(path)
    return None


def compiler(name="gcc"):
    """Returns what tells one version of the compiler from another.  Asking the
    compiler itself takes longer than all the rest that a finished build costs."""
    path = program(name)
    if not path:
        debian.install()
        path = program(name)
    if not path:
        return name
    about = os.stat(path)
    return path, about.st_size, about.st_mtime_ns


class Changed(Exception):
    """The sources changed while they were compiled."""


class Part:
    """One part.  Its name is also its kind in the cache, and the hash of its
    inputs names the entry there.

    needs are the parts that its inputs depend on, uses those that it is made by.
    Both are given to make(), as directories by name."""

    name = ""
    needs = []
    uses = []
    megabytes = 50

    def inputs(self, needs):
        raise NotImplementedError

    def make(self, new, work, parts):
        """Fills the new directory; work is for what is thrown away."""
        raise NotImplementedError

    def entry(self, needs):
        return f"{self.name}/{cache.hash_of(*self.inputs(needs))}"

    def find(self, needs):
        """Returns its directory if there is nothing to do, or None."""
        return cache.find(self.entry(needs))

    def build(self, needs, get):
        """Returns its directory.  get() gives another part's."""
        name = self.entry(needs)

        def make(new, work):
            debian.install()
            self.make(new, work, {**needs, **{name: get(name) for name in self.uses}})
            if self.entry(needs) != name:
                raise Changed

        try:
            return cache.entry(name, self.megabytes, make)
        except Changed:
            say(f"tdx: the sources of {self.name} changed meanwhile, once more")
            return self.build(needs, get)


class Graph:
    """Parts by name.  May be asked by several threads at a time."""

    def __init__(self, parts):
        self.parts = {part.name: part for part in parts}
        self.locks = {name: threading.RLock() for name in self.parts}
        self.done = {}

    def find(self, name):
        """Returns a part's directory if there is nothing to do for it, or None."""
        if name in self.done:
            return self.done[name]
        part = self.parts[name]
        needs = {need: self.find(need) for need in part.needs}
        found = None if None in needs.values() else part.find(needs)
        if found:
            self.done[name] = found
        return found

    def get(self, name):
        """Returns a part's directory, and builds what is missing for it."""
        with self.locks[name]:
            if name not in self.done:
                part = self.parts[name]
                needs = {need: self.get(need) for need in part.needs}
                self.done[name] = part.build(needs, self.get)
            return self.done[name]
