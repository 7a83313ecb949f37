# SPDX-License-Identifier: GPL-2.0
"""Recordings of TDX modules, and their differences."""

import unittest

import support  # noqa: F401
import recording


def parse(*lines):
    return recording.parse([recording.FIRST_LINE, *lines])


class Recordings(unittest.TestCase):
    def test_a_line_is_a_name_and_a_value(self):
        self.assertEqual(parse("kvm.x 0x1", "host.cpu A CPU, of some kind"),
                         {"kvm.x": "0x1", "host.cpu": "A CPU, of some kind"})

    def test_a_range_stands_for_each_msr(self):
        self.assertEqual(parse("all.initial.msr.0x10-0x12 rdmsr #VE, wrmsr #VE"),
                         {("all.initial.msr.", msr): "rdmsr #VE, wrmsr #VE"
                          for msr in (0x10, 0x11, 0x12)})

    def test_what_is_no_recording_is_refused(self):
        for lines, complaint in (
                ([], "it has no line"),
                (["something else"], "it has no line"),
                ([recording.FIRST_LINE, "name"], "line 2 has no name and value"),
                ([recording.FIRST_LINE, "a 1", " 2"], "line 3 has no name and value"),
                ([recording.FIRST_LINE, "a 1", "a 2"], "line 3 repeats a name: a"),
                ([recording.FIRST_LINE, "x.msr.0x1-0x3 a", "x.msr.0x2 b"], "line 3 repeats"),
                ([recording.FIRST_LINE, "x.msr.0x5-0x1 a"], "no range of MSRs"),
                ([recording.FIRST_LINE, "x.msr.0x0-0xffffffffff a"], "no range of MSRs")):
            with self.assertRaisesRegex(ValueError, complaint):
                recording.parse(lines)

    def test_a_section_of_a_report(self):
        lines = ["a report", "===== profile =====", "Random seed: 1", recording.FIRST_LINE,
                 "x 1", "===== another section =====", "anything"]
        self.assertEqual(recording.parse(lines), {"x": "1"})

    def test_neighbouring_msrs_are_one_difference(self):
        a = parse("x.msr.0x10-0x1f a", "x.msr.0x20 b", "y 1")
        b = parse("x.msr.0x10-0x13 a", "x.msr.0x14-0x20 c", "y 1")
        self.assertEqual(list(recording.differences(a, b)),
                         ["x.msr.0x14-0x1f: a | c", "x.msr.0x20: b | c"])

    def test_what_only_one_has_is_a_difference(self):
        a, b = parse("x 1", "y 2"), parse("y 2", "z 3")
        self.assertEqual(list(recording.differences(a, b)), ["x: 1 | -", "z: - | 3"])

    def test_equal_recordings_differ_in_nothing(self):
        lines = ["x.msr.0x10-0x1f a", "x.msr.0x20.bits b", "y 1"]
        self.assertEqual(list(recording.differences(parse(*lines), parse(*lines))), [])
