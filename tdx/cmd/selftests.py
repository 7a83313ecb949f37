# SPDX-License-Identifier: GPL-2.0
"""The parts that run inside: the suite's tests, other programs that use their
library, what runs the tests, and the box's init."""

import contextlib
import os
import pathlib
import re

import cache
from files import mirror, relevant
from graph import TDX, TOP, Part, compiler, ksrc
from initramfs import make_initramfs, make_static
from kernel import MACHINE, jobs
from process import Step, build_environment, die

# After the makefile's own -g -O2, which takes twice as long to compile: here that
# is what one waits for, as a test's time is the kernel's.  Backtraces have lines.
FLAGS = "-O1 -g1"

# A TD is filled with its program, page by page: leave out what nothing calls.
LINKER_FLAGS = "-Wl,--gc-sections"

# What the tests are built from.
SOURCES = ["include", "lib", "x86", "selftests.mk", "tdx/cmd/tree.py", "tdx/cmd/anchors.py"]
NAMES = r"[^.#].*\.(c|h|S|mk)"


def all_tests():
    """Returns the names of all tests, as x86/NAME."""
    return sorted(f"x86/{path.stem}" for path in (TOP / "x86").glob("tdx_*_test.c")
                  if relevant(path.name))


def all_programs():
    """Returns the same for all that the suite builds, programs beside the tests too."""
    return sorted(f"x86/{path.stem}" for path in (TOP / "x86").glob("tdx_*.c")
                  if relevant(path.name))


def choose_tests(words):
    """Returns the tests of these names, or all if there are none.  x86/ may be
    left out."""
    known = all_tests()
    chosen = [f"x86/{word.removeprefix('x86/')}" for word in words]
    for name, word in zip(chosen, words):
        if name not in known:
            names = " ".join(name.removeprefix("x86/") for name in known)
            raise LookupError(f"no such test: {word} (there are: {names})")
    return chosen or known


class Programs(Part):
    """Programs that use the suite's library and are no tests."""

    name = "programs"
    needs = ["linux", "headers"]
    megabytes = 200
    linker_flags = LINKER_FLAGS

    def sources(self):
        """Returns the paths of what is compiled, in the checkout."""
        return sorted(str(path.relative_to(TOP)) for path in TDX.rglob("tdx_*.c")
                      if relevant(path.name))

    def programs(self):
        """Returns the names of what is made."""
        return ["x86/" + pathlib.Path(path).stem for path in self.sources()]

    def make_options(self, suite):
        return ["TESTS=", "EXTRA=" + " ".join(f"{suite}/{path}" for path in self.sources())]

    def all_inputs(self):
        """Returns what the checkout gives, whatever is chosen of it."""
        return cache.hash_files(TOP, [*SOURCES, *self.sources(),
                                      str(MACHINE.relative_to(TOP) / "memset.c")], NAMES)

    def tools(self, needs):
        llvm = os.environ.get("LLVM", "")
        return [str(needs["linux"]), str(needs["headers"]), FLAGS, self.linker_flags, llvm,
                compiler("clang") if llvm else compiler()]

    def inputs(self, needs):
        return [self.tools(needs), self.all_inputs()]

    def find(self, needs):
        return None if ksrc() else super().find(needs)

    def build(self, needs, get):
        if not ksrc():
            return super().build(needs, get)
        # The tree may have changed, so make has to look.
        with self.work(needs) as work:
            self.compile(work, needs)
            return work / "build"

    def make(self, new, work, parts):
        with self.work(parts) as kept:
            self.compile(kept, parts)
            (new / "x86").mkdir()
            # The linker makes a new file each time, so these stay as they are.
            for name in self.programs():
                os.link(kept / "build" / name, new / name)

    def work(self, needs):
        """Locks and returns the directory that this checkout's objects are in."""
        return cache.work(f"{self.name}-work/{cache.hash_of(str(TOP), self.tools(needs))}")

    def compile(self, work, needs):
        suite = work / "suite"
        copy_suite(suite, [*SOURCES, *self.sources()])
        mirror(MACHINE / "memset.c", work / "memset.c")
        # kbuild's makefile takes these flags up each time that it compiles.
        flags = f"{FLAGS} $(if $(filter %/string_override.o,$@),-include {work}/memset.c)"
        llvm = [f"LLVM={os.environ['LLVM']}"] if os.environ.get("LLVM") else []
        with Step(f"building the {self.name}", cache.log(self.name)) as step:
            step.run("make", "-s", "-C", suite, "-f", "selftests.mk", jobs(),
                     f"KSRC={needs['linux']}", f"KHDR={needs['headers']}",
                     f"OUTPUT={work}/build", f"EXTRA_CFLAGS={flags}",
                     *self.make_options(suite), *llvm,
                     env={**build_environment(), "LDFLAGS": self.linker_flags})


def copy_suite(suite, sources):
    """Makes suite a copy of what is built from a checkout.  The checkout's path may
    have blanks, which make can't do with, and its files any time."""
    wanted = set()
    for source in sources:
        for where, _, names in os.walk(TOP / source):
            wanted |= {os.path.relpath(os.path.join(where, name), TOP) for name in names
                       if re.fullmatch(NAMES, name)}
        if (TOP / source).is_file():
            wanted.add(source)
    for where, _, names in os.walk(suite):
        for name in names:
            path = os.path.join(where, name)
            if os.path.relpath(path, suite) not in wanted:
                os.remove(path)
    for name in sorted(wanted):
        (suite / name).parent.mkdir(parents=True, exist_ok=True)
        mirror(TOP / name, suite / name)


class Tests(Programs):
    """The suite's tests, or those of only."""

    name = "tests"

    def __init__(self):
        self.only = None

    def sources(self):
        return []

    def programs(self):
        return self.only or all_programs()

    def make_options(self, suite):
        return [f"TESTS={' '.join(self.only)}"] if self.only else []

    def inputs(self, needs):
        return super().inputs(needs) + ([sorted(self.only)] if self.only else [])

    def find(self, needs):
        """Finds all tests, of which the chosen ones are some, or just these."""
        if ksrc():
            return None
        everything = f"{self.name}/{cache.hash_of(*Programs.inputs(self, needs))}"
        return cache.find(everything) or (self.only and cache.find(self.entry(needs))) or None


class StaticTests(Programs):
    """The suite's programs, for a machine whose libraries may be others."""

    name = "static-tests"
    linker_flags = f"-static {LINKER_FLAGS}"

    def sources(self):
        return []

    def programs(self):
        return all_programs()

    def make_options(self, suite):
        return []


class Runner(Part):
    """What runs the tests."""

    name = "runner"

    def inputs(self, needs):
        return [compiler(), cache.hash_file(MACHINE / "runner.c")]

    def make(self, new, work, parts):
        with Step("building the tests' runner", cache.log("runner")) as step:
            make_static(step, new / "runner", MACHINE / "runner.c")


class Init(Part):
    """The box's first program.  Apart from the kernel, which may be one of the
    user's own."""

    name = "init"

    def inputs(self, needs):
        return [compiler(), cache.hash_file(MACHINE / "init.c"),
                *(cache.hash_file(TDX / f"cmd/{name}.py") for name in ("initramfs", "cpio"))]

    def make(self, new, work, parts):
        with Step("building the box's init", cache.log("init")) as step:
            make_initramfs(step, MACHINE / "init.c", new)
