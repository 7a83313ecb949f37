# SPDX-License-Identifier: GPL-2.0
"""Round trips: a module is recorded, and the box runs one like it."""

import pathlib

import likeness
import recording
from launcher_tests import Launcher
from parts import parts

# A module that is no release, with a rule of each kind.
RULES = """\
version 2 0 9
profile td-ctls 0x4 0x0
cpu 0x80000002 0 EAX 0xffffffff 0x65746e49
cpuid 0x7 0 ECX 0x400000 fixed 0x0
cpuid 0x7 1 EAX 0x1 fixed 0x1
cpuid 0x7 1 EAX 0x2 xfam 0x4
cpuid 0x20 0 EBX 0xf0 configured
faults 0x3 0 0xc
faults 0x8 0 always
last-levels 0
msr 0x8b 0x8b 0x9e 0x9e
msr 0x1f8 0x1f9 0xfe 0x277
msr 0x300 0x301 0xbd 0xbd 0x77
instruction HLT ENQCMD
instruction PCONFIG INVD
field 0x0800000100000001 0x13527f5
field 0x0800000100000002 0x2c1
"""


class RoundTrip(Launcher):
    def record(self, profile, name="recording"):
        """Returns the file of a recording."""
        path = pathlib.Path(self.directory, name)
        text, _ = self.gives(0, "run", "--profile", profile, "--", "x86/tdx_profile",
                             cwd=recording.TDX.parent)
        path.write_text(text)
        return path

    def comes_back(self, profile):
        """The box runs a module like a recorded one, and records it again."""
        first = self.record(profile)
        second = self.record(str(first), "again")
        self.gives(0, "diff", str(first), str(second))
        self.gives(0, "diff", str(first))
        return first

    def test_releases(self):
        for release in likeness.releases(parts(["qemu"])["qemu"]):
            with self.subTest(release):
                self.comes_back(release)

    def test_modifiers(self):
        self.comes_back("1.5.28,erratum,few-keys=2,gpaw=52,sys-disable,dynamic-pamt")

    def test_drawn_modules(self):
        for seed in 3, 7, 12:
            with self.subTest(seed):
                self.comes_back(f"random:{seed}")

    def test_a_module_that_is_no_release(self):
        rules = pathlib.Path(self.directory, "rules")
        rules.write_text(RULES)
        recorded = self.comes_back(f"2.0.08,rules={rules}")
        self.assertIn("all.sys.BUILD_NUM 0x2c1\n", recorded.read_text())
        self.assertIn("host.module 2.0.09\n", recorded.read_text())

    def test_each_release_from_each_other(self):
        releases = likeness.releases(parts(["qemu"])["qemu"])
        for want in releases:
            facts = recording.load(self.record(want))
            for other in releases:
                with self.subTest(f"{want} from {other}"):
                    likeness.adapt(facts, [other], recording.record, self.directory)
                    left = pathlib.Path(self.directory, "left").read_text()
                    self.assertEqual(left, "")

    def test_what_can_not_be_had_is_said(self):
        path = self.record("1.5.06")
        text = path.read_text().replace("td.xfam.pt refused", "td.xfam.pt yes")
        path.write_text(text)
        _, errors = self.gives(0, "run", "--profile", str(path), "--", "true")
        self.assertIn(f"tdx: 1 fact of {path} is not as recorded (tdx/box diff {path})", errors)
        output, _ = self.gives(1, "diff", str(path))
        self.assertEqual(output, "td.xfam.pt: yes | refused\n")

    def test_a_recording_has_all_kinds_of_facts(self):
        facts = recording.load(self.record("2.0.08"))
        for name in ("host.module", "host.keyids", "kvm.supported_attrs", "cpu.cpuid.0x1.0",
                     "td.cpuid.0x1.0.EAX.value", "all.sys.TDX_FEATURES0", "all.td.TD_CTLS.writable",
                     "all.td.FEATURE_PARAVIRT_CTRL.writable", "none.reduced.insn.HLT",
                     ("all.initial.msr.", 0x10), "all.tdcall.1"):
            self.assertIn(name, facts)

    def test_values_that_make_no_sense(self):
        text = self.record("1.5.06").read_text()
        path = pathlib.Path(self.directory, "nonsense")
        for old, new in (("cpu.cpuid.0x1.0 ", "cpu.cpuid.0x1.0 x "),
                         ("cpu.cpuid.0x1.0 0x", "cpu.cpuid.0x1.0 0y"),
                         ("cpu.cpuid.0x1.0 ", "cpu.cpuid.one "),
                         ("td.cpuid.0x1.0.EAX.value 0x", "td.cpuid.0x1.0.EAX.value 0y")):
            path.write_text(text.replace(old, new))
            _, errors = self.gives(125, "run", "--profile", str(path), "--", "true")
            self.assertRegex(errors, r"\Atdx: making .*\ntdx/box: .* is not a recording: .*\n\Z")

    def test_the_machine_has_as_many_cpus_within_limits(self):
        path = self.record("1.5.06")
        text = path.read_text()
        for recorded, inside in (2, "2\n"), (224, "8\n"):
            path.write_text(text.replace("host.cpus 4", f"host.cpus {recorded}"))
            output, _ = self.gives(0, "run", "--profile", str(path), "--", "nproc")
            self.assertEqual(output, inside)
        output, _ = self.gives(0, "run", "--profile", str(path), "--cpus", "1", "--", "nproc")
        self.assertEqual(output, "1\n")

    def test_files_that_are_no_recording(self):
        empty = pathlib.Path(self.directory, "empty")
        empty.write_text("")
        for path, complaint in ((empty, "is not a recording"), ("/no/such", "cannot read"),
                                (self.directory, "Is a directory")):
            self.complains(125, complaint, "run", "--profile", str(path), "--", "true")
            self.complains(125, complaint, "diff", str(path))
        self.complains(125, "usage: tdx/box diff", "diff")
        self.complains(125, "usage: tdx/box diff", "diff", "1.5.06")
        self.complains(125, "usage: tdx/box diff", "diff", "1.5.06", "2.0.08", "none")
