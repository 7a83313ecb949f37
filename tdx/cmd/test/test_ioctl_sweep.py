# SPDX-License-Identifier: GPL-2.0
"""Which of KVM's ioctls is to blame."""

import unittest

import support  # noqa: F401
import ioctl_sweep
from ioctl_sweep import Calls, Run
from outcome import Failure

CALLS_PER_FIELD = 10


class FakeSweep(ioctl_sweep.Sweep):
    """Instead of a box: two rows of 50 calls in a stage, five fields each.  kills tells
    whether a list of calls brings the kernel down."""

    def __init__(self, kills, tells=False):
        super().__init__("program", ["box"])
        self.kills = kills
        self.tells = tells      # the test survives to name the call
        self.runs = 0

    def field(self, call):
        return f"field{call // CALLS_PER_FIELD}"

    def made(self, row, first, end):
        return [(row, call) for call in range(first, end)
                if f"{row}/ran/{self.field(call)}" not in self.left_out]

    def run(self, options, progress=False):
        self.runs += 1
        run = Run()
        given = dict(zip(options[::2], options[1::2]))
        first, end = map(int, given.get("-n", "0:50").split(":"))
        rows = ["a", "b"] if "-f" not in given else ["a", "b"][given["-f"] == "b/ran":]
        for row in [given["-r"]] if "-r" in given else rows:
            step = end - first if "-n" in given else CALLS_PER_FIELD
            for at in range(first, end, step):
                run.feed(f"# try: {row}/ran/{self.field(at + step - 1)} "
                         f"calls {at} to {at + step}: name")
                if self.kills(self.made(row, at, at + step)):
                    end = self.first_end(row, at, step) if self.tells else at + step
                    run.names = {"first": f"value {at}", "last": f"value {end - 1}"}
                    run.what = "the kernel panics"
                    if self.tells:
                        run.feed(f"# found: {row}/ran/{self.field(end - 1)} "
                                 f"calls {at} to {end}: bad")
                    return run
            run.feed("# 50 accepted")
            run.feed(f"ok 1 {row}")
        return run

    def first_end(self, row, at, step):
        return next(end for end in range(at + 1, at + step + 1)
                    if self.kills(self.made(row, at, end)))

    def found(self):
        return [(calls.row, calls.first, calls.end) for calls, _, _ in self.findings]


class Blame(unittest.TestCase):
    def sweep(self, kills, tells=False):
        sweep = FakeSweep(kills, tells)
        sweep.main([], lambda finding: None)
        return sweep

    def test_nothing_goes_wrong(self):
        sweep = self.sweep(lambda calls: False)
        self.assertEqual(sweep.found(), [])
        self.assertEqual(sweep.sums, {"a": "50 accepted", "b": "50 accepted"})
        self.assertEqual(sweep.runs, 1)

    def test_each_single_call_is_found(self):
        for call in 0, 9, 10, 37, 49:
            with self.subTest(call=call):
                sweep = self.sweep(lambda calls, call=call: ("a", call) in calls)
                self.assertEqual(sweep.found(), [("a", call, call + 1)])
                self.assertEqual(sweep.left_out, [f"a/ran/{sweep.field(call)}"])

    def test_two_calls_that_go_wrong_only_together(self):
        sweep = self.sweep(lambda calls: {("b", 22), ("b", 27)} <= set(calls))
        self.assertEqual(sweep.found(), [("b", 22, 28)])
        self.assertEqual(sweep.findings[0][1], "value 22 ... value 27")

    def test_one_value_of_a_field_is_enough(self):
        sweep = self.sweep(lambda calls: any(call in range(20, 30) for _, call in calls))
        self.assertEqual(sweep.found(), [("a", 20, 21), ("b", 20, 21)])

    def test_a_call_that_the_test_names_takes_few_runs(self):
        sweep = self.sweep(lambda calls: ("a", 37) in calls, tells=True)
        self.assertEqual(sweep.found(), [("a", 37, 38)])
        self.assertEqual(sweep.runs, 5)

    def test_a_named_call_may_need_an_earlier_one(self):
        sweep = self.sweep(lambda calls: {("b", 22), ("b", 27)} <= set(calls), tells=True)
        self.assertEqual(sweep.found(), [("b", 22, 28)])

    def test_the_test_goes_on_behind_each_finding(self):
        sweep = self.sweep(lambda calls: {("a", 3), ("a", 44), ("b", 11)} & set(calls))
        self.assertEqual(sweep.found(), [("a", 3, 4), ("a", 44, 45), ("b", 11, 12)])
        self.assertEqual(set(sweep.sums), {"a", "b"})

    def test_what_does_not_happen_again_is_an_error(self):
        first = [True]

        def kills_once(calls):
            return first and ("a", 5) in calls and first.pop()

        with self.assertRaisesRegex(Failure, "a/ran/field0: .* not happen again"):
            self.sweep(kills_once)


class Lines(unittest.TestCase):
    def read(self, *lines):
        run = Run()
        for line in lines:
            run.feed(line)
        return run

    def test_the_last_calls_that_were_tried(self):
        run = self.read("# try: KVM_RUN/new/arg calls -1 to 0: sane",
                        "# try: KVM_GET_MSRS of /dev/kvm/new/msrs.pad calls 3 to 9: x=0x1")
        self.assertEqual(run.calls, Calls("KVM_GET_MSRS of /dev/kvm", "new", "msrs.pad", 3, 9))
        self.assertIsNone(run.what)

    def test_a_finding(self):
        run = self.read("# found: KVM_NMI/ran/arg calls 7 to 8: the kernel: BUG: a/b calls",
                        "# the first is arg=0x1,", "# the last is arg^0x2")
        self.assertEqual(run.calls, Calls("KVM_NMI", "ran", "arg", 7, 8))
        self.assertEqual(run.what, "the kernel: BUG: a/b calls")
        self.assertEqual(run.names, {"first": "arg=0x1", "last": "arg^0x2"})

    def test_results(self):
        run = self.read("# 1 accepted, 2 refused with EIO", "not ok 2 KVM_NMI",
                        "ok 3 # SKIP KVM_SMI")
        self.assertEqual(run.sums, {"KVM_NMI": "1 accepted, 2 refused with EIO"})
        self.assertEqual(run.failed, ["KVM_NMI"])

    def test_the_check_of_the_tables_is_no_row(self):
        run = self.read("ok 1 the tables are complete", "# 1 accepted", "ok 2 KVM_NMI")
        self.assertEqual(run.sums, {"KVM_NMI": "1 accepted"})
        self.assertEqual(self.read("not ok 1 the tables are complete").failed,
                         ["the tables are complete"])

    def test_the_end_of_a_kernel(self):
        self.assertEqual(ioctl_sweep.complaint("x\n    [    1.5] WARNING: at f+0x1/0x2, CPU#3: a/9\n"
                                               "    [ 2.0] Kernel panic - not syncing\n"),
                         "WARNING: at f+0x1/0x2; the kernel panics")
        self.assertEqual(ioctl_sweep.complaint("tdx/box: timeout after 9 s\n"),
                         "the box ended: tdx/box: timeout after 9 s")

    def test_known_bugs(self):
        known = {("KVM_NMI", "ran", "arg"): "bug 1", ("KVM_RUN", "exit", "*"): "bug 2"}
        self.assertEqual(ioctl_sweep.known_as(known, Calls("KVM_NMI", "ran", "arg", 0, 1)),
                         "bug 1")
        self.assertEqual(ioctl_sweep.known_as(known, Calls("KVM_RUN", "exit", "cr8", 0, 1)),
                         "bug 2")
        self.assertIsNone(ioctl_sweep.known_as(known, Calls("KVM_RUN", "ran", "cr8", 0, 1)))


if __name__ == "__main__":
    unittest.main()
