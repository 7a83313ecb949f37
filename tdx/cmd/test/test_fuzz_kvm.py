# SPDX-License-Identifier: GPL-2.0
"""The fuzzer's side of the pipes, and what it makes of findings."""

import os
import pathlib
import sys
import tempfile
import time
import unittest
import unittest.mock

import support  # noqa: F401
import fuzz_kvm

# Takes programs as tdx_ioctl_fuzz --serve does: "die" ends it, "bad" is a finding.
SERVER = r"""
import os, struct, sys
def answer(text):
    os.write(1, b"fuzz" + struct.pack("<II", 2, len(text)) + b"\1\0\0\0\2\0\0\0\1\1" + text)
os.write(1, b"Random seed: 0x1\n")
answer(b"")
while len(size := os.read(0, 4)) == 4:
    text = os.read(0, struct.unpack("<I", size)[0] & 0x7fffffff)
    if b"die" in text:
        open(sys.argv[1], "w").write("[    1.0] first\n[    2.0] BUG: kernel NULL pointer\n")
        sys.exit(0)
    answer(b"[ 1.5] WARNING: at tdx_foo+0x12/0x30\n" if b"bad" in text else b"")
"""


class Kinds(unittest.TestCase):
    def test_what_differs_does_not_count(self):
        one = "[   12.345678] WARNING: arch/x86/kvm/vmx/tdx.c:123 at tdx_foo+0x1a/0x20, CPU#1: a/17"
        two = "WARNING: arch/x86/kvm/vmx/tdx.c:123 at tdx_foo+0x2a/0x30, CPU#0: a/3711"
        self.assertEqual(fuzz_kvm.kind(one), fuzz_kvm.kind(two))
        self.assertNotEqual(fuzz_kvm.kind(one), fuzz_kvm.kind(one.replace("foo", "bar")))

    def test_first_line_that_says_something(self):
        self.assertEqual(fuzz_kvm.kind("x\nCHARGE: for 3 TDs\n"), "CHARGE: for N TDs")
        self.assertEqual(fuzz_kvm.kind("nothing\n"), "")
        self.assertEqual(fuzz_kvm.kinds("BUG: a\nx\nBUG: b"), ["BUG: a", "BUG: b"])

    def test_last_words(self):
        with tempfile.NamedTemporaryFile("w") as log:
            log.write("a\nBUG: kernel NULL pointer dereference\nb\n")
            log.flush()
            self.assertEqual(fuzz_kvm.last_words(log.name).splitlines(),
                             ["DIED: the kernel did not survive this",
                              "BUG: kernel NULL pointer dereference"])
        self.assertIn("DIED", fuzz_kvm.last_words("/nonexistent"))


class Coverage(unittest.TestCase):
    def test_without_kcov(self):
        self.assertIn("no KCOV", fuzz_kvm.reached(pathlib.Path("/nonexistent"), None))
        with tempfile.NamedTemporaryFile("w") as pcs:
            pcs.write("0x81000015\n0x81000016\n0x81000015\n")
            pcs.flush()
            self.assertIn("2 PCs", fuzz_kvm.reached(pathlib.Path(pcs.name), None))

    def test_call_sites(self):
        text = ["ffffffff81000010 <f>:\n",
                "ffffffff81000010:\tcall   ffffffff8148e7a0 <__sanitizer_cov_trace_pc>\n",
                "ffffffff81000015:\tret\n",
                "ffffffff81000016:\tcall   ffffffff8148e7a0 <g>\n",
                "ffffffff8100001b:\tjmp    ffffffff8148e7a0 <__sanitizer_cov_trace_pc>\n",
                "ffffffff81000020:\tnop\n"]
        self.assertEqual(fuzz_kvm.call_sites(text), ["0xffffffff81000015"])


class Reducing(unittest.TestCase):
    def reduced(self, steps, *needed):
        """What stays of steps if all words of needed must be there."""
        def still_fails(some):
            return all(any(word in step.split() for step in some) for word in needed)
        return fuzz_kvm.reduce(steps, still_fails, time.monotonic() + 60)

    def test_steps(self):
        steps = [f"t0 s{i}" for i in range(24)]
        self.assertEqual(self.reduced(steps, "s3"), ["t0 s3"])
        self.assertEqual(self.reduced(steps, "s0", "s11", "s23"), ["t0 s0", "t0 s11", "t0 s23"])

    def test_changes(self):
        self.assertEqual(self.reduced(["t0 A x=1 y^2 z+3", "t0 B x=1"], "y^2"), ["t0 A y^2"])

    def test_first_step_is_beside_nothing(self):
        self.assertEqual(self.reduced(["t0 A", "& t1 B"], "B"), ["t1 B"])

    def test_time_is_up(self):
        self.assertEqual(fuzz_kvm.reduce(["t0 A", "t0 B"], lambda steps: True, 0),
                         ["t0 A", "t0 B"])


class Servers(unittest.TestCase):
    def setUp(self):
        self.log = pathlib.Path(tempfile.mkstemp()[1])
        self.addCleanup(self.log.unlink)
        target = unittest.mock.Mock(log=self.log)
        target.command.return_value = [sys.executable, "-c", SERVER, self.log]
        self.server = fuzz_kvm.Server(target)
        self.addCleanup(self.server.stop)

    def test_answers(self):
        self.assertEqual(self.server.try_out(["good"]), "")
        self.assertIn("tdx_foo", self.server.try_out(["bad"]))
        self.assertEqual(self.server.try_out(["good"]), "")

    def test_death(self):
        found = self.server.try_out(["die"])
        self.assertIn("DIED", found)
        self.assertIn("NULL pointer", found)
        self.assertEqual(self.server.try_out(["good"]), "")


class Variables(unittest.TestCase):
    def refused(self, text, call, **variables):
        with unittest.mock.patch.dict(os.environ, variables), \
                self.assertRaises(SystemExit) as caught:
            call()
        self.assertIn(text, str(caught.exception.code))

    def test_seconds(self):
        for text in "0", "-1", "x", "99999999999":
            self.refused("not between", lambda: fuzz_kvm.number("SECONDS", 600, 10 ** 7),
                         SECONDS=text)
        with unittest.mock.patch.dict(os.environ, SECONDS="30"):
            self.assertEqual(fuzz_kvm.number("SECONDS", 600, 10 ** 7), 30)

    def test_corpus(self):
        self.refused("CORPUS=", lambda: fuzz_kvm.directory("CORPUS", "/tmp"),
                     CORPUS="/proc/none")
