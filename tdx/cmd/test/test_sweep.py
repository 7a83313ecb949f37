# SPDX-License-Identifier: GPL-2.0
"""The suite on many modules."""

import contextlib
import io
import unittest
import unittest.mock

import support  # noqa: F401
import ktap
import options
import sweep


def output(*results):
    """What the suite prints: "ok NAME" and the like, of one test."""
    lines = ["TAP version 13", "1..1", "  # Subtest: selftests: kvm: tdx_a_test"]
    lines += [f"  {result}" for result in results]
    failed = any(result.startswith("not") for result in results)
    return int(failed), [*lines, f"{'not ' if failed else ''}ok 1 selftests: kvm: tdx_a_test"]


class Sweeps(unittest.TestCase):
    def swept(self, *runs):
        """Returns the status of a sweep and the lines that it printed."""
        text = io.StringIO()
        with unittest.mock.patch("sweep.run_suite", side_effect=runs), \
                contextlib.redirect_stdout(text):
            return sweep.main(range(1, len(runs) + 1)), text.getvalue().splitlines()

    def test_a_range_of_seeds(self):
        self.assertEqual(sweep.seeds("random:3..5"), range(3, 6))
        for profile in None, "", "1.5.06", "random:3", "random:3..", "random:x..5":
            self.assertIsNone(sweep.seeds(profile))
        with self.assertRaisesRegex(SystemExit, "no such range"):
            sweep.seeds("random:5..3")

    def test_a_line_for_each_seed(self):
        status, lines = self.swept(output("ok 1 a"), output("ok 1 a", "ok 2 b # SKIP lacks b"))
        self.assertEqual(status, 1)
        self.assertEqual(lines[:2], ["TAP version 13", "1..3"])
        self.assertRegex(lines[2], "^ok 1 random:1 # Totals: pass:1 ")
        self.assertRegex(lines[3], "^ok 2 random:2 # Totals: pass:1 .*skip:1")
        self.assertEqual(lines[4:], ["not ok 3 each case runs on some of them",
                                     "# tdx_a_test b: lacks b"])

    def test_a_case_that_is_skipped_once_runs_elsewhere(self):
        status, lines = self.swept(output("ok 1 a # SKIP lacks a"), output("ok 1 a"))
        self.assertEqual((status, lines[-1]), (0, "ok 3 each case runs on some of them"))

    def test_a_case_that_must_be_asked_for_may_be_skipped(self):
        status, _ = self.swept(output("ok 1 a", "ok 2 b # SKIP TDX_RACES=1 runs it"),
                               output("ok 1 a", "ok 2 b # SKIP needs two CPUs"))
        self.assertEqual(status, 0)

    def test_a_failure_is_printed(self):
        status, lines = self.swept(output("not ok 1 a"))
        self.assertEqual(status, 1)
        self.assertRegex(lines[2], "^not ok 1 random:1 ")
        self.assertIn("# |   not ok 1 a", lines)
        self.assertEqual(ktap.read(lines).totals()["fail"], 1)

    def test_a_run_that_ends_early_is_a_failure(self):
        status, lines = self.swept((124, []))
        self.assertEqual(status, 1)
        self.assertRegex(lines[2], "^not ok 1 random:1 ")

    def test_a_random_machine_differs_by_its_seed(self):
        drawn = [options.drawn_machine(f"random:{seed}") for seed in range(50)]
        self.assertEqual({machine.cpus for machine in drawn}, {1, 2, 3, 4, 5, 8})
        self.assertEqual({machine.threads for machine in drawn}, {1, 2})
        self.assertEqual({machine.kernel_options for machine in drawn}, {"", "kvm.enable_pmu=0 "})
        self.assertEqual(options.drawn_machine("random:7"), options.drawn_machine("random:7"))
        self.assertIsNone(options.drawn_machine("1.5.06"))
