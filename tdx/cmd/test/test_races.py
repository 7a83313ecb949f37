# SPDX-License-Identifier: GPL-2.0
"""Schedules, the list of races, and failures in words."""

import os
import types
import unittest.mock

import races
import schedule
from outcome import Failure
from schedule import Change, Schedule

LIST = """\
# FIXTURE            VARIANT                   TEST
--------------------------------------------------------------------------------
during_init_mem_region                           finalize_waits
                                               init_vm_waits
--------------------------------------------------------------------------------
race                 init_vm_twice             is_serializable
                     create_vcpus              
                     init_mem_region_and_memslot_deletion 
--------------------------------------------------------------------------------
race_of_two_tds                                begin_and_end_together
                                               one_begins_while_the_other_ends
"""

TRACE = """\
cpu1: stops at 0x402360 in user mode, preempted; point 0, cpu0 goes on
cpu0: TDH.MR.FINALIZE(tdr=0x349a000) = SUCCESS <0 ns>
cpu0: stops at 0xffffffff81000022, in the call; point 21, cpu1 goes on; stack 0xffffffff81000110
cpu1: TDH.MEM.RANGE.BLOCK(gpa=0x100000, tdr=0x349a000) = OPERAND_BUSY|RDX <0 ns>
cpu1: TDH.MEM.RANGE.BLOCK(gpa=0x100000, tdr=0x349a000) = OPERAND_BUSY|RDX <0 ns>
cpu1 TD vcpu0: TDG.MEM.PAGE.ACCEPT(gpa=0x100000) = SUCCESS <0 ns>
cpu1: stops at 0xffffffff81000200, halted; point 30, cpu0 goes on
the race ends; points 31, of calls 5
cpu0: TDH.VP.FLUSH(tdvpr=0x3565000) = SUCCESS <0 ns>
"""


class FakeSymbols:
    functions = {0xffffffff81000022: "seamcall", 0xffffffff81000110: "finalize"}

    def function(self, address):
        return (self.functions[address], 2) if address in self.functions else None

    def name(self, address):
        return f"{self.functions[address]}+0x2"

    def caller(self, address):
        return self.functions.get(address, "")


class Schedules(unittest.TestCase):
    def refused(self, text, seed, cpus=4):
        with self.assertRaises(Failure) as caught:
            schedule.parse(seed, cpus)
        self.assertIn(text, str(caught.exception))

    def test_in_words(self):
        self.assertEqual(str(Schedule((1, 0), ())), "1,0")
        self.assertEqual(str(Schedule((1, 0), (Change("", 17, 0, ""), Change("c", 40, 9, "=")))),
                         "1,0/17/c40+9=")

    def test_a_seed_means_the_same_each_time(self):
        drawn = [schedule.draw(seed, 300, 40, 4) for seed in range(200)]
        self.assertEqual(drawn, [schedule.draw(seed, 300, 40, 4) for seed in range(200)])
        self.assertGreater(len(set(drawn)), 190)

    def test_what_is_drawn_can_be_given(self):
        for seed in range(200):
            for points, calls in (1, 0), (2, 1), (300, 40):
                text = str(schedule.draw(seed, points, calls, 4))
                self.assertEqual(schedule.parse(text, 4), text)
                self.assertEqual(schedule.parse(f"{seed}:{points}:{calls}", 4), text)

    def test_changes_are_within_the_race(self):
        for seed in range(200):
            for change in schedule.draw(seed, 30, 4, 2).changes:
                self.assertLess(change.point, 4 if change.kind else 30)
            self.assertFalse(any(c.kind for c in schedule.draw(seed, 30, 0, 2).changes))

    def test_a_seed_alone(self):
        self.assertEqual(schedule.parse("17", 4), "17")
        self.assertFalse(schedule.is_for_race("17"))
        self.assertFalse(schedule.is_for_race(None))
        self.assertTrue(schedule.is_for_race("1,0"))

    def test_what_makes_no_sense(self):
        for text in ("x", "-1", "1:", "1:2", "1.5", "0,1,2,3/", "0,1,2,3/x", "0,1,2,3/5+",
                     "0,1,2,3/c", "\u0661"):
            self.refused("neither a number", text)
        for text in "0,1", "0,1,2,2", "1,2,3,4", "0,1,2,3,4":
            self.refused("not each of the CPUs 0 to 3 once", text)
        self.refused("neither a number", "0,1,2,3" + "".join(f"/{n}" for n in range(9)))


class Lists(unittest.TestCase):
    def test_names(self):
        self.assertEqual(races.read_list(LIST), [
            "during_init_mem_region.finalize_waits",
            "during_init_mem_region.init_vm_waits",
            "race.init_vm_twice.is_serializable",
            "race.create_vcpus.is_serializable",
            "race.init_mem_region_and_memslot_deletion.is_serializable",
            "race_of_two_tds.begin_and_end_together",
            "race_of_two_tds.one_begins_while_the_other_ends"])


class Words(unittest.TestCase):
    def test_drawing(self):
        lines = races.drawing(TRACE, FakeSymbols())
        self.assertEqual([line.strip() for line in lines], [
            "cpu0".ljust(races.WIDTH) + "cpu1",
            "preempted: in user mode",
            "TDH.MR.FINALIZE = SUCCESS",
            "in the call: seamcall+0x2 < finalize",
            "TDH.MEM.RANGE.BLOCK = OPERAND_BUSY|RDX x2",
            "TDG.MEM.PAGE.ACCEPT = SUCCESS",
            "sleeps"])
        columns = [len(line) - len(line.lstrip()) for line in lines[1:]]
        self.assertEqual(columns, [races.WIDTH, 0, 0, *[races.WIDTH] * 3])

    def test_a_long_one_has_a_gap(self):
        trace = "".join(f"cpu0: TDH.X{n}() = SUCCESS <0 ns>\n" for n in range(1000))
        lines = races.drawing(trace, FakeSymbols())
        self.assertEqual(len(lines), 2 * races.MOST_TOLD + 2)
        self.assertIn("... 940 more ...", lines)

    def test_command(self):
        race, kernel = races.Race("x86/a", "b.c"), types.SimpleNamespace(options=["--config", "d"])
        with unittest.mock.patch.dict(os.environ):
            for name in races.CHOOSE_PARTS:
                os.environ.pop(name, None)
            self.assertEqual(races.command(race, kernel, races.FIRST),
                             "tdx/box run --seed 0,1,2,3 --config d -- x86/a -r b.c")
            os.environ["KSRC"] = "/a b"
            self.assertEqual(races.command(race, kernel, races.FIRST),
                             "KSRC='/a b' tdx/box run --seed 0,1,2,3 --config d "
                             "-- x86/a -r b.c")

    def test_failed_assertion(self):
        self.assertEqual(races.failed_assertion(
            "noise\n==== Test Assertion Failure ====\n  x86/a.c:5: ok\n  pid=1\n"
            "cpu0: TDH.X() = SUCCESS <0 ns>\n  The VM is dead\n#      FAIL  race\n# more\n"),
            "x86/a.c:5: ok: The VM is dead")
        self.assertEqual(races.failed_assertion("cpu0: TDH.X() = SUCCESS <0 ns>\n"), "")
