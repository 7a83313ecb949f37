# SPDX-License-Identifier: GPL-2.0
"""What rules make the box like a recording."""

import pathlib
import tempfile
import unittest

import support  # noqa: F401
import likeness
import recording
from outcome import Failure

STATES = "all.initial", "all.reduced", "none.initial"


def facts(*lines):
    return recording.parse([recording.FIRST_LINE, *lines])


def in_states(name, *values):
    """Lines that give a fact one value in all states, or one in each."""
    values = values if len(values) == len(STATES) else values * len(STATES)
    return [f"{state}.{name} {value}" for state, value in zip(STATES, values)]


# Something in each state, so that there are states.
ANYTHING = in_states("cpuid.0x1.0", "0x0")


class Rules(unittest.TestCase):
    def check(self, want, have, *rules):
        """These rules make one recording into another."""
        self.assertEqual(likeness.rules(facts(*want, *ANYTHING), facts(*have, *ANYTHING)),
                         list(rules))

    def test_nothing_differs(self):
        lines = ["kvm.supported_attrs 0x1", "td.cpuid.0x1.0.ECX.value 0x00000001",
                 *in_states("msr.0x10-0x20", "rdmsr #VE, wrmsr #VE")]
        self.check(lines, lines)

    def test_numbers_of_the_profile(self):
        self.check(["kvm.supported_attrs 0x5"], ["kvm.supported_attrs 0x6"],
                   "profile attributes 0x2 0x1")
        self.check(["kvm.supported_xfam 0x3"], ["kvm.supported_xfam 0x207"],
                   "profile xfam-lacks 0x0 0x204")
        self.check(["kvm.gpa_width_52 1"], ["kvm.gpa_width_52 0"], "profile ept-5-levels 0x0 0x1")
        self.check(["all.td.TD_CTLS.writable 0x6"], [], "profile td-ctls 0x0 0x6")

    def test_keyids_that_the_box_has_room_for(self):
        self.check(["host.keyids 3"], ["host.keyids 31"], "profile tdx-keyids 0xff 0x4")
        self.check(["host.keyids 63"], ["host.keyids 31"])
        self.check(["host.keyids unknown"], ["host.keyids 31"])

    def test_version(self):
        have = ["host.module 1.5.28", "all.sys.MAJOR_VERSION 0x1", "all.sys.MINOR_VERSION 0x5"]
        self.check(["host.module 1.5.13"], have, "version 1 5 13")
        self.check(["host.module unknown", *have[1:]], have)
        self.check(["host.module unknown", "all.sys.MAJOR_VERSION 0x2"], have, "version 2 5 28")

    def test_a_cpu_can_lack_features_but_not_get_them(self):
        self.check(["cpu.cpuid.0x7.0 0x2 0x00000001 0x0 0x0"],
                   ["cpu.cpuid.0x7.0 0x1 0x00000006 0x0 0x0"], "cpu 0x7 0 EBX 0x6 0x0")

    def test_what_describes_the_cpu_is_taken_over(self):
        self.check(["cpu.cpuid.0x80000002.0 0x41 0x42 0x0 0x0"],
                   ["cpu.cpuid.0x80000002.0 0x51 0x42 0x0 0x0"],
                   "cpu 0x80000002 0 EAX 0xffffffff 0x41")

    def test_other_leaves_of_the_cpu_can_only_go(self):
        self.check(["cpu.cpuid.0xa.0 0x0 0x0 0x0 0x0"], ["cpu.cpuid.0xa.0 0x2 0x0 0x0 0x0"],
                   "cpu 0xa 0 EAX 0xffffffff 0x0")
        self.check(["cpu.cpuid.0xa.0 0x5 0x0 0x0 0x0"], ["cpu.cpuid.0xa.0 0x2 0x0 0x0 0x0"])
        self.check([], ["cpu.cpuid.0xb.1 0x2 0x4 0x201 0x0"])

    def test_model(self):
        self.check(["cpu.cpuid.0x1.0 0x000806f8 0x0 0x0 0x0"],
                   ["cpu.cpuid.0x1.0 0x000a06d1 0x0 0x0 0x0"],
                   "profile cpu-model 0xff 0x8f", "cpu 0x1 0 EAX 0xffffffff 0x806f8")

    def test_tsc(self):
        def change(num, den):
            return (f"profile tsc-num 0xffffffff {num:#x}",
                    f"profile tsc-den 0xffffffff {den:#x}")
        have = ["kvm.tsc_khz 2000000"]
        self.check(["kvm.tsc_khz 1900000"], have, *change(19, 10))
        self.check(["kvm.tsc_khz 1900000",
                    "cpu.cpuid.0x15.0 0x00000002 0x00000098 0x017d7840 0x0"], have, *change(19, 10),
                   "cpu 0x15 0 EAX 0xffffffff 0x2", "cpu 0x15 0 EBX 0xffffffff 0x98",
                   "cpu 0x15 0 ECX 0xffffffff 0x17d7840")
        self.check(["kvm.tsc_khz 2000000"], have)

    def test_bits_of_a_td(self):
        place = "td.cpuid.0x7.0.ECX."
        have = [f"{place}value 0x00000001", f"{place}config 0x00000010",
                f"{place}runtime 0x00000100"]
        for want, rules in (
                ([f"{place}value 0x00000000"],
                 ["cpuid 0x7 0 ECX 0x111 fixed 0x0"]),
                ([f"{place}value 0x00000003", *have[1:]], ["cpuid 0x7 0 ECX 0x2 fixed 0x2"]),
                ([have[0], f"{place}config 0x00000031", have[2]],
                 ["cpuid 0x7 0 ECX 0x21 configured"]),
                ([*have, f"{place}xfam.avx 0x00000201", f"{place}attribute.28 0x00000401"],
                 ["cpuid 0x7 0 ECX 0x200 xfam 0x4",
                  "cpuid 0x7 0 ECX 0x400 attributes 0x10000000"]),
                ([*have[:2], f"{place}runtime 0x00001100"], [])):
            with self.subTest(want):
                self.check(want, have, *rules)

    def test_leaves_that_only_one_has(self):
        lines = [f"td.cpuid.0x16.0.{name}.value 0x00000005" for name in ("EAX", "EBX")]
        self.check(lines, [],
                   "cpuid 0x16 0 EAX 0x5 fixed 0x5", "cpuid 0x16 0 EAX 0xfffffffa fixed 0x0",
                   "cpuid 0x16 0 EBX 0x5 fixed 0x5", "cpuid 0x16 0 EBX 0xfffffffa fixed 0x0")
        self.check([], lines, "faults 0x16 0 always")

    def test_where_a_leaf_faults(self):
        in_table = ["td.cpuid.0x3.0.EAX.value 0x00000000"]
        have = [*in_table, *in_states("cpuid.0x3.0", "0x0"),
                *in_states("cpuid.0xc.0", "#VE", "0x0", "#VE")]
        self.check([*in_table, *in_states("cpuid.0x3.0", "#VE", "0x0", "#VE"), *have[4:]], have,
                   "faults 0x3 0 0xc")
        # There is no leaf that does that.
        self.check([*in_table, *in_states("cpuid.0x3.0", "0x0", "#VE", "0x0"), *have[4:]], have)

    def test_instructions(self):
        have = [*in_states("insn.HLT", "#VE"), *in_states("insn.IN", "#VE"),
                *in_states("insn.RSM", "#UD"), *in_states("insn.NEW", "#GP")]
        self.check([*in_states("insn.HLT", "#UD"), *in_states("insn.IN", "#UD"), *have[6:9],
                    *in_states("insn.NEW", "#UD")], have,
                   "instruction HLT RSM", "instruction IO RSM")
        self.check([*in_states("insn.HLT", "#GP"), *have[3:]], have)

    def test_an_msr_is_like_one_of_a_long_range(self):
        have = [*in_states("msr.0x10", "rdmsr #GP, wrmsr #VE"),
                *in_states("msr.0x20-0x2f", "rdmsr #VE, wrmsr #VE"),
                *in_states("msr.0x40-0x4f", "rdmsr #GP, wrmsr #GP")]
        self.check([*in_states("msr.0x10", "rdmsr #VE, wrmsr #GP"), *have[3:]], have,
                   "msr 0x10 0x10 0x20 0x40")
        # What it does not do otherwise stays its own.
        self.check([*in_states("msr.0x10", "rdmsr #GP, wrmsr #GP"), *have[3:]], have,
                   "msr 0x10 0x10 0x10 0x40")
        self.check([*have[:3], *in_states("msr.0x20-0x21", "rdmsr #GP, wrmsr #GP"),
                    *in_states("msr.0x22-0x2f", "rdmsr #VE, wrmsr #VE"), *have[6:]], have,
                   "msr 0x20 0x21 0x40 0x40")

    def test_values_of_msrs(self):
        have = in_states("msr.0x10-0x11", "rdmsr 0x1, wrmsr #GP")
        self.check([*in_states("msr.0x10", "rdmsr 0x2, wrmsr #GP"),
                    *in_states("msr.0x11", "rdmsr 0x1, wrmsr #GP")], have,
                   "msr 0x10 0x10 0x10 0x10 0x2")
        # No rule gives several values.
        self.check([*in_states("msr.0x10", "rdmsr 0x2, wrmsr #GP", "rdmsr 0x3, wrmsr #GP",
                               "rdmsr 0x2, wrmsr #GP"),
                    *in_states("msr.0x11", "rdmsr 0x1, wrmsr #GP")], have)

    def test_what_writing_an_msr_changes(self):
        kept = in_states("msr.0x10", "rdmsr 0x0, wrmsr done") + in_states("msr.0x10.bits", "all")
        lost = in_states("msr.0x11", "rdmsr 0x0, wrmsr done") + in_states("msr.0x11.bits", "none")
        want = in_states("msr.0x11", "rdmsr 0x0, wrmsr done") + in_states("msr.0x11.bits", "all")
        self.check([*kept, *want], [*kept, *lost], "msr 0x11 0x11 0x11 0x10")

    def test_metadata(self):
        self.check(["all.sys.BUILD_NUM 0x7", "all.sys.0xa200000100000000 0x1"],
                   ["all.sys.0xa200000100000000 0x0"],
                   "field 0x800000100000002 0x7", "field 0xa200000100000000 0x1")

    def test_tables_wait_for_profile_and_cpu(self):
        place = "td.cpuid.0x7.0.ECX.value"
        self.check(["kvm.supported_attrs 0x1", f"{place} 0x1"], [f"{place} 0x0"],
                   "profile attributes 0x0 0x1")


class Rounds(unittest.TestCase):
    """adapt(), with a module that is what record() says."""

    def adapt(self, want, record, releases=("1.5.06", "1.5.28", "2.0.08")):
        with tempfile.TemporaryDirectory() as directory:
            likeness.adapt(facts(*want), releases, record, directory)
            return [pathlib.Path(directory, name).read_text().splitlines()
                    for name in ("release", "rules", "left")]

    def test_rounds_go_on_until_there_is_no_new_rule(self):
        def record(profile):
            with open(profile.partition("rules=")[2]) as file:
                done = file.read()
            return facts("kvm.supported_attrs " + ("0x1" if "attributes" in done else "0x0"),
                         *(["all.sys.BUILD_NUM 0x7"] if "field" in done else []),
                         "host.module 2.0.08", "td.x a")

        release, rules, left = self.adapt(
            ["kvm.supported_attrs 0x1", "all.sys.BUILD_NUM 0x7", "host.module 2.0.08", "td.x b",
             "host.kernel other"], record)
        self.assertEqual(release, ["2.0.08"])
        self.assertEqual(rules, ["profile attributes 0x0 0x1", "field 0x800000100000002 0x7"])
        self.assertEqual(left, ["td.x: b | a"])

    def test_a_rule_without_effect_is_tried_once(self):
        rounds = []

        def record(profile):
            rounds.append(profile)
            return facts("host.module 1.5.06")

        _, rules, left = self.adapt(["host.module 1.5.06", "all.sys.BUILD_NUM 0x7"], record)
        self.assertEqual(len(rounds), 2)
        self.assertEqual(left, ["all.sys.BUILD_NUM: 0x7 | -"])

    def test_the_release_with_the_nearest_version(self):
        for version, release in (("1.5.06", "1.5.06"), ("1.5.16", "1.5.06"), ("1.5.20", "1.5.28"),
                                 ("1.5.99", "1.5.28"), ("2.0.00", "2.0.08"), ("2.1.00", "2.0.08"),
                                 ("3.0.00", "2.0.08")):
            want = facts(f"host.module {version}")
            self.assertEqual(likeness.nearest(want, ["1.5.06", "1.5.28", "2.0.08"], None), release)

    def test_without_a_version_no_release_is_the_nearest(self):
        with self.assertRaisesRegex(Failure, "without the module's version"):
            likeness.nearest(facts("td.x 1"), ["1.5.06"], None)

    def test_without_an_update_version_that_with_the_fewest_differences(self):
        def record(profile):
            return facts(f"td.{profile} 1", *(["td.x 1"] if profile == "1.5.28" else []))

        want = facts("all.sys.MAJOR_VERSION 0x1", "all.sys.MINOR_VERSION 0x5", "td.x 1")
        self.assertEqual(likeness.nearest(want, ["1.5.06", "1.5.28", "2.0.08"], record), "1.5.28")
