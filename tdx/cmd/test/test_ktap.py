# SPDX-License-Identifier: GPL-2.0
"""What the KTAP reader makes of streams."""

import os
import pathlib
import sys
import unittest

import ktap

SUITE = """\
TAP version 13
# box: Linux 7.3.4
1..4
  KTAP version 1
  # Subtest: selftests: kvm: tdx_a_test
  Random seed: 0x1
  1..4
  # Starting 4 tests from 1 test cases.
  ok 1 a.passes
  #      XFAIL     a known bug
  ok 2 a.known # XFAIL a known bug # with a hash
  ok 3 a.skipped # SKIP no such thing
  not ok 4 a.fails
  # Totals: pass:1 fail:1 xfail:1 xpass:0 skip:1 error:0
not ok 1 selftests: kvm: tdx_a_test # exit=1
# selftests: kvm: tdx_b_test
# said before it was skipped
ok 2 selftests: kvm: tdx_b_test # SKIP
  KTAP version 1
  # Subtest: selftests: kvm: tdx_c_test
  1..2
  ok 1 c.first
not ok 3 selftests: kvm: tdx_c_test # exit=139
# selftests: kvm: tdx_d_test
not ok 4 selftests: kvm: tdx_d_test # TIMEOUT 120 seconds
"""

KERNELS_RUNNER = """\
TAP version 13
1..1
# selftests: kvm: tdx_a_test
# TAP version 13
# 1..2
# ok 1 a.passes
# not ok 2 a.fails
not ok 1 selftests: kvm: tdx_a_test # exit=1
"""

FLAT = """\
1..3
ok 1 - one
not ok 2 two
ok
"""


class Ktap(unittest.TestCase):
    def test_cases_of_programs(self):
        reader = ktap.read(SUITE.splitlines())
        self.assertEqual([(str(case), case.result, case.reason) for case in reader.cases], [
            ("tdx_a_test a.passes", "pass", ""),
            ("tdx_a_test a.known", "xfail", "a known bug # with a hash"),
            ("tdx_a_test a.skipped", "skip", "no such thing"),
            ("tdx_a_test a.fails", "fail", ""),
            ("tdx_b_test", "skip", ""),
            ("tdx_c_test c.first", "pass", ""),
            ("tdx_c_test", "error", "exit=139"),
            ("tdx_d_test", "fail", "TIMEOUT 120 seconds"),
        ])
        self.assertEqual((reader.planned, reader.results), (4, 4))

    def test_cases_as_the_kernels_runner_has_them(self):
        reader = ktap.read(KERNELS_RUNNER.splitlines())
        self.assertEqual([str(case) for case in reader.failures()], ["tdx_a_test a.fails"])
        self.assertEqual(len(reader.cases), 2)

    def test_flat_tap(self):
        reader = ktap.read(FLAT.splitlines())
        self.assertEqual([(case.name, case.result) for case in reader.cases],
                         [("one", "pass"), ("two", "fail"), ("", "pass")])

    def test_a_failure_is_one_whatever_its_directive(self):
        for directive in "SKIP", "XFAIL":
            reader = ktap.read([f"not ok 1 one # {directive} maybe"])
            self.assertEqual(reader.totals()["fail"], 1)

    def test_lines_that_only_look_like_results(self):
        for line in "okay", "ok1", "not okay 1", "# ok", "okok 1 x", "not  ok 1 x":
            self.assertIsNone(ktap.parse_result(line), line)

    def test_end_in_the_middle(self):
        lines = SUITE.splitlines()
        reader = ktap.read(lines[:9])
        self.assertEqual(str(reader.cases[0]), "tdx_a_test a.passes")
        self.assertEqual(ktap.summary(reader)[0], "# Ended after 0 of 4 tests.")

    def test_summary(self):
        self.assertEqual(ktap.summary(ktap.read(SUITE.splitlines())), [
            "# Known bugs of KVM:",
            "#   tdx_a_test a.known: a known bug # with a hash",
            "# Failed:",
            "#   tdx_a_test a.fails",
            "#   tdx_c_test: exit=139",
            "#   tdx_d_test: TIMEOUT 120 seconds",
            "# Totals: pass:2 fail:2 xfail:1 xpass:0 skip:2 error:1",
        ])

    def test_endless_stream_is_bounded(self):
        reader = ktap.Reader()
        for number in range(ktap.MAX_CASES + 100):
            reader.feed(f"  ok {number} case")
        reader.feed("ok 1 selftests: kvm: tdx_a_test" + "x" * 100000)
        self.assertLessEqual(len(reader.cases), ktap.MAX_CASES)
        self.assertLessEqual(len(reader.cases[0].test), ktap.MAX_LINE)

    def test_the_kernels_parser_counts_the_same(self):
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        cache = os.environ.get("TDX_CACHE") or f"{cache}/tdx-selftests"
        trees = sorted(pathlib.Path(cache).glob("src/linux-*/tree/tools/testing/kunit"))
        if not trees:
            self.skipTest("no kernel source in the cache")
        sys.path.insert(0, str(trees[-1]))
        self.addCleanup(sys.path.remove, str(trees[-1]))
        keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        self.addCleanup(setattr, sys, "dont_write_bytecode", keep)
        import kunit_parser
        from kunit_printer import Printer

        # Without the program that ended before its cases did, which both call a
        # failure and count in ways of their own.
        lines = [line.replace("1..4", "1..3", 1) if line == "1..4" else line
                 for line in SUITE.splitlines()]
        start = next(n for n, line in enumerate(lines) if "tdx_c_test" in line) - 1
        lines[start:start + 5] = []
        lines = [line.replace("ok 4 selftests", "ok 3 selftests") for line in lines]
        counts = kunit_parser.parse_run_tests(lines, Printer(print=False)).counts
        totals = ktap.read(lines).totals()
        self.assertEqual((counts.passed, counts.failed, counts.skipped, counts.errors),
                         (totals["pass"] + totals["xfail"], totals["fail"],
                          totals["skip"], 0))


if __name__ == "__main__":
    unittest.main()
