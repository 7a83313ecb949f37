# SPDX-License-Identifier: GPL-2.0
"""build PART...: makes the parts of the box that are not in the cache yet and
prints the directory of each, a line for each.

PART is qemu, plain (the same QEMU as it comes, to compare with), kernel, init (the
box's first program), coverage (a kernel that counts which lines of KVM's TDX code
ran), tests, static-tests (for other machines), runner (which runs them), programs
(others that use their library), fuzz and fuzz-engine (for "make fuzz-kvm"), guest (a Linux to run as a TD), headers (the kernel's,
for programs), linux (its source), or one of Debian's own for "tdx/box boot": qemu-system-x86,
ovmf, ovmf-inteltdx, busybox, shim, linux-trixie and linux-trixie-backports.

"checkers" installs what "make check" takes, "clean" empties the cache.

Environment: TDX_CACHE, QEMU=SUITE, QEMU_SRC=DIR, KERNEL=VERSION, KSRC=DIR, LLVM=1,
TDX_PLAIN_CC=1 (compile as anybody would, without precompiled headers)."""

import os

import cache
import debian
import distribution
import fuzz_engine
import kernel
import qemu
import selftests
from graph import Graph, ksrc
from process import die, together

# Parts that do not wait for the kernel's source: they are built beside the others,
# so that while one is fetched or linked the other compiles.
BESIDE = ["qemu", "plain"]


def make_graph(tests=None):
    """Returns the graph of all parts; tests are the names of those that are wanted,
    all if it is None."""
    graph = Graph([
        kernel.Linux(), kernel.Headers(), kernel.Kernel(), kernel.Vmm(), kernel.Debug(), kernel.Kcsan(),
        kernel.Kmemleak(), kernel.Configured(), kernel.Coverage(), kernel.Fuzz(),
        kernel.Guest(),
        qemu.QemuSource(), qemu.QemuTools(), qemu.Qemu(), qemu.Plain(),
        selftests.Tests(), selftests.StaticTests(), selftests.Programs(), selftests.Runner(),
        selftests.Init(), fuzz_engine.Engine(), *(part() for part in distribution.PARTS),
    ])
    graph.parts["tests"].only = tests
    return graph


def check_before(graph, names):
    """Says at once what would stop a build later on."""
    if os.environ.get("QEMU_SRC"):
        graph.find("qemu-source")
    if not cache.entries("qemu") or not cache.entries("headers"):
        # Much is to be made: what is in the way is said once.
        cache.need_space(6000 if len(names) > 1 else 100)
        if not (ksrc() and os.environ.get("QEMU_SRC")):
            debian.need_debian()


def build(names, tests=None):
    """Builds what is missing of these parts.  Returns a dict of their directories.
    tests may say which tests are needed, as x86/NAME.  Ends with one line if
    it fails; progress and the last lines of a log go to stderr."""
    graph = make_graph(tests)
    # What a user has given is checked before all else.
    qemu.suite()
    if ksrc():
        graph.find("linux")
    missing = [name for name in names if not graph.find(name)]
    if missing:
        check_before(graph, missing)
        debian.install()
        beside = [name for name in missing if name in BESIDE]
        others = [name for name in missing if name not in BESIDE]
        together(*[lambda lane=lane: [graph.get(name) for name in lane]
                   for lane in (beside, others) if lane])
    return {name: graph.get(name) for name in names}


def main(arguments):
    known = [name for name in make_graph().parts if not name.startswith("qemu-")]
    known += ["checkers", "clean"]
    if not arguments:
        die(f"which part? ({' '.join(known)})")
    if len(arguments) > 1 and (alone := {"checkers", "clean"}.intersection(arguments)):
        die(f"{min(alone)} stands alone")
    for name in arguments:
        if name not in known:
            die(f"unknown part: {name} ({' '.join(known)})")
    if arguments == ["clean"]:
        cache.clean()
    elif arguments == ["checkers"]:
        debian.install(debian.CHECKERS)
    else:
        for path in build(arguments).values():
            print(path)
