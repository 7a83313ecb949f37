# SPDX-License-Identifier: GPL-2.0
import os
import subprocess

from support import CacheTest

import injections
import mutants
import process
import selftests
import trials
from graph import TDX
from trials import Trial

SED = """# file: arch/x86/kvm/vmx/tdx.c
# SPDX-License-Identifier: GPL-2.0
# what is broken
# tests: tdx_b_test tdx_a_test
s/good/bad/
"""
TESTS = ["x86/tdx_a_test", "x86/tdx_b_test", "x86/tdx_c_test"]


class MutantTest(CacheTest):
    def mutant(self, text):
        path = self.dir / "name.sed"
        path.write_text(text)
        return mutants.Mutant(path)

    def apply(self, text):
        linux = self.dir / "linux"
        (linux / "arch/x86/kvm/vmx").mkdir(parents=True, exist_ok=True)
        (linux / "arch/x86/kvm/vmx/tdx.c").write_text("all is good\n")
        return self.mutant(text).apply(linux)

    def test_header(self):
        mutant = self.mutant(SED)
        self.assertEqual((mutant.name, mutant.file), ("name", "arch/x86/kvm/vmx/tdx.c"))
        self.assertEqual(mutant.order(TESTS), [TESTS[1], TESTS[0], TESTS[2]])
        self.assertEqual(mutant.trials, [Trial(place) for place in
                                         ("suite", "inject", "erratum", "other")])
        self.assertEqual(self.mutant("# file: x\n").order(TESTS), TESTS)
        mutant = self.mutant("# case: tdx_c_test a.b\n# inject: X:lingers@1\n# profile: 1,erratum\n")
        self.assertEqual(mutant.trials, [Trial("own", "tdx_c_test a.b", "X:lingers@1",
                                                "1,erratum")])
        self.assertEqual(mutant.order(TESTS), [TESTS[2], TESTS[0], TESTS[1]])

    def test_where_it_is_caught(self):
        places = lambda where: [trial.place for trial in self.mutant(f"# where: {where}\n").trials]
        self.assertEqual(places("erratum"), ["erratum", "suite", "inject", "other"])
        self.assertEqual(places("update"), ["update", "suite", "inject", "erratum", "other"])
        with self.assertRaisesRegex(mutants.MutantError, "no such place: nowhere"):
            places("nowhere")

    def test_listed(self):
        self.assertEqual(self.mutant(SED).listed, "")
        self.assertEqual(self.mutant("# needs: schedule\n").listed, "needs a schedule")
        self.assertEqual(self.mutant("# invisible: it is slow\n").listed, "invisible: it is slow")

    def test_summary(self):
        schedule = self.mutant("# needs: schedule\n")
        invisible = self.mutant("# invisible: x\n")
        self.assertEqual(mutants.summary(2, 3, []), "2 of 3 mutants caught")
        self.assertEqual(mutants.summary(3, 3, [schedule]),
                         "3 of 3 mutants caught; 1 need a schedule")
        self.assertEqual(mutants.summary(3, 3, [schedule, invisible, invisible]),
                         "3 of 3 mutants caught; 1 need a schedule; 2 are invisible")

    def test_applied(self):
        self.assertEqual(self.apply(SED), b"all is bad\n")

    def test_not_applied(self):
        for text, error in ((SED.replace("good", "evil"), "it changes nothing"),
                            (SED.replace("s/good", "s/(good"), "^sed: "),
                            (SED.replace("tdx.c", "none.c"), "no such file: .*none.c"),
                            ("s/a/b/\n", "no such file: $"),
                            ("# file: arch/../../../etc/passwd\n", "no such file: ")):
            with self.assertRaisesRegex(mutants.MutantError, error):
                self.apply(text)

    def test_names_a_test_that_is_not_there(self):
        with self.assertRaisesRegex(mutants.MutantError, "a test that is not there"):
            self.mutant(SED.replace("tdx_a", "tdx_z")).order(TESTS)

    def test_choice(self):
        for name in "b", "a", "c":
            (self.dir / f"{name}.sed").write_text(SED)
        names = lambda wanted: [mutant.name for mutant in mutants.choose(self.dir, wanted)]
        self.assertEqual(names(""), ["a", "b", "c"])
        self.assertEqual(names("c,a.sed"), ["c", "a"])
        self.assertEqual(names(" b  c"), ["b", "c"])
        with self.dies("no such mutant"):
            names("d")
        (self.dir / "c.sed").write_text("# where: nowhere\n")
        with self.dies("c: no such place: nowhere"):
            names("c")
        with self.dies("no mutants in"):
            mutants.choose(self.dir / "none", "")

    def test_the_projects_own(self):
        for mutant in mutants.choose(TDX / "mutants", ""):
            self.assertRegex(mutant.file, r"^[a-z0-9_/]+\.[ch]$", mutant.name)
            own = mutant.own_trial
            self.assertRegex(own.case, r"^(tdx_\w+ \w+(\.\w+)+)?$", mutant.name)
            self.assertRegex(own.profile, r"^([0-9.]+(,.+)?)?$", mutant.name)
            self.assertTrue(mutant.order(selftests.all_tests()))
            self.assertTrue(mutant.trials)
            self.assertEqual(bool(own.plan), bool(own.case), mutant.name)
            self.assertIn(mutant.header("needs"), ("", "schedule"), mutant.name)


class VerdictTest(CacheTest):
    def test_catcher(self):
        for text, verdict in (
                ("# ok 1 a.b\n# not ok 2 a.c\n# not ok 3 a.d\nnot ok 1 selftests: kvm: t\n", "a.c"),
                ("ok 1 a.b\nnot ok 2 a.c\n", "a.c"),
                ("not ok 1 selftests: kvm: tdx_a_test # TIMEOUT\n", "tdx_a_test # TIMEOUT"),
                ("tdx/box: the kernel complained while running t:\n    WARNING\n",
                 "splat while running t"),
                ("tdx/box: the kernel complained while running /a/x86/t:\n", "splat while running t"),
                ("tdx/box: timeout after 150 s while booting; the kernel's last lines:\n",
                 "timeout after 150 s while booting"),
                ("tdx/box: the machine ended before runner did\n",
                 "the machine ended before runner did"),
                ("", "the box ended with status 1")):
            self.assertEqual(trials.find_catcher(text, 1), verdict)

    def test_an_error_is_no_catch(self):
        with self.assertRaisesRegex(trials.MutantError, "the box: tdx/box: QEMU failed"):
            trials.find_catcher("tdx/box: QEMU failed\n", 125)

    def test_compiler_error(self):
        log = self.dir / "log"
        log.write_text("CC x\nx.c:1: error: no\nmake: *** Error 1\n")
        self.assertEqual(mutants.compiler_error(log), "x.c:1: error: no")
        log.write_text("")
        self.assertEqual(mutants.compiler_error(log), "nothing said")

    def test_results(self):
        (self.dir / "a.sed").write_text(SED)
        mutant = mutants.Mutant(self.dir / "a.sed")
        mutants.Results(self.dir / "caught").add(mutant, "case.one")
        self.assertEqual(mutants.Results(self.dir / "caught").find(mutant), "case.one")
        (self.dir / "a.sed").write_text(SED + "s/x/y/\n")
        mutant = mutants.Mutant(self.dir / "a.sed")
        self.assertIsNone(mutants.Results(self.dir / "caught").find(mutant))
        (self.dir / "caught").write_text("no JSON")
        self.assertIsNone(mutants.Results(self.dir / "caught").find(mutant))


class FakeSuite(trials.Suite):
    """Runs commands of this machine instead of the box."""

    def start_run(self):
        with open(self.output, "w") as output:
            self.child = process.start(self.runs[0].command, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output)


class SuiteTest(CacheTest):
    def setUp(self):
        super().setUp()
        parts = {name: self.dir / name for name in ("tests", "programs", "runner", "qemu")}
        parts["qemu"].mkdir()
        (parts["qemu"] / "profile.help").write_text("1.5.06   an early release\n")
        self.suite = FakeSuite(parts, self.dir)
        self.suite.kernel = self.dir / "vmlinux"

    def find(self, *commands):
        """Returns what a trial of these shell commands finds."""
        self.suite.runs = [trials.Run(name, [], ["sh", "-c", command])
                           for name, command in commands]
        self.suite.start_run()
        return self.suite.finish()

    def test_goes_on_until_one_catches_it(self):
        passes, fails = "echo ok 1 a", "echo not ok 1 a; exit 1"
        self.assertIsNone(self.find(("", passes), ("", passes)))
        self.assertEqual(self.find(("x", passes), ("y", fails), ("z", fails)), "y: a")
        self.assertEqual(self.find(("", fails)), "a")

    def test_a_kernel_without_tdx_is_a_catch(self):
        self.assertEqual(self.find(("", "echo 'ok 1 a # SKIP no TDX'")), "each case is skipped")
        self.assertIsNone(self.find(("", "echo 'ok 1 a # SKIP no'; echo '# ok 2 b'")))

    def test_runs(self):
        runs = lambda place: self.suite.find_runs(Trial(place), ["x86/t"])
        suite = [self.dir / "runner/runner", self.dir / "tests", "x86/t"]
        self.assertEqual(runs("suite"), [("", [], suite)])
        self.assertEqual(runs("erratum"), [("", ["--profile", trials.ERRATUM], suite)])
        self.assertEqual(runs("other"), [("", ["--profile", trials.OTHER], suite)])
        self.assertEqual([run.name for run in runs("update")], trials.UPDATES)
        self.assertTrue((self.dir / "images/newer").is_file())
        self.assertEqual(len(runs("update")), len(trials.UPDATES))
        self.assertIn(self.suite.kernel, runs("kexec")[0].command)
        for run in runs("inject"):
            self.assertEqual(run.options[0], "--inject")

    def test_own(self):
        self.assertEqual(
            self.suite.find_runs(Trial("own", "t a.b", "X:BUSY", "1"), []),
            [("", ["--profile", "1", "--inject", "X:BUSY"],
              [self.dir / "tests/x86/t", "-r", "a.b"])])

    def test_plan_from_a_file(self):
        path = self.dir / "plan"
        path.write_text("# comment\nA:B@1\n\nC:D\n")
        self.assertEqual(injections.rules(path), "A:B@1+C:D")


class SavedCommandTest(CacheTest):
    def test_parsed(self):
        command, files = mutants.saved_command(
            "savedcmd_a/b.o := gcc -DX='\"y\"' -D$(pound)z -o a/b.o /t/b.c ; echo $$HOME\n\n"
            "source_a/b.o := /t/b.c\n\n"
            "deps_a/b.o := \\\n  /t/b.h \\\n    $(wildcard include/config/X) \\\n  c.h \\\n\n"
            "a/b.o: $(deps_a/b.o)\n")
        self.assertEqual(command, "gcc -DX='\"y\"' -D#z -o a/b.o /t/b.c ; echo $HOME")
        self.assertEqual([file for file in files if file.startswith("/")], ["/t/b.h", "/t/b.c"])

    def test_without_dependencies(self):
        self.assertEqual(mutants.saved_command("savedcmd_a.a := ar a\n"), ("ar a", []))
        self.assertEqual(mutants.saved_command(""), ("", []))


class BrokenKernelTest(CacheTest):
    """On a kernel of one object, built by a kbuild of one line."""

    def setUp(self):
        super().setUp()
        self.linux = self.dir / "linux"
        self.linux.mkdir()
        (self.linux / "a.c").write_text("good\n")
        (self.linux / "Makefile").write_text(
            "vmlinux:\n\tcat a.o built-in.a >vmlinux\n")
        self.kernel = mutants.BrokenKernel(self.linux)
        with self.quiet():
            self.kernel.prepare()
        self.kernel.build.mkdir()
        (self.kernel.build / "a.o").write_text("good\n")
        (self.kernel.build / ".a.o.cmd").write_text(
            f"savedcmd_a.o := cp {self.kernel.tree}/a.c a.o ; grep -q o a.o\n\n"
            f"source_a.o := {self.kernel.tree}/a.c\n")
        (self.kernel.build / "built-in.a").write_text("")
        self.kernel.complete.touch()
        self.log = self.dir / "log"

    def vmlinux(self):
        (self.kernel.build / "vmlinux").unlink(missing_ok=True)

    def check_restored(self):
        self.assertTrue((self.kernel.tree / "a.c").is_symlink())
        self.assertEqual((self.kernel.build / "a.o").read_text(), "good\n")
        self.assertFalse(self.kernel.saved.exists())

    def test_only_what_depends_on_it(self):
        self.kernel.make("a.c", b"worse\n", self.log)
        self.assertEqual((self.kernel.build / "vmlinux").read_text(), "worse\n")
        self.check_restored()
        self.vmlinux()
        self.kernel.restore(self.log)
        self.assertEqual((self.kernel.build / "vmlinux").read_text(), "good\n")

    def test_does_not_compile(self):
        with self.assertRaises(mutants.StepFailed):
            self.kernel.make("a.c", b"bad\n", self.log)
        self.check_restored()

    def test_killed_meanwhile(self):
        self.kernel.save_objects(self.kernel.objects_of("a.c"))
        (self.kernel.tree / "a.c").unlink()
        (self.kernel.tree / "a.c").write_text("worse\n")
        (self.kernel.build / "a.o").write_text("worse\n")
        mutants.BrokenKernel(self.linux).prepare()
        self.check_restored()

    def test_killed_while_kbuild_builds(self):
        self.kernel.complete.unlink()
        source, target = self.kernel.tree / "a.c", self.kernel.build / "a.o"
        source.unlink()
        source.write_text("worse\n")
        target.write_text("worse\n")
        mutants.BrokenKernel(self.linux).prepare()
        self.assertEqual(source.read_text(), "good\n")
        self.assertGreaterEqual(source.stat().st_mtime_ns, target.stat().st_mtime_ns)

    def test_what_only_kbuild_can_make(self):
        self.assertIsNone(self.kernel.objects_of("Makefile"))
        (self.kernel.build / ".b.s.cmd").write_text(
            f"savedcmd_b.s := x\n\nsource_b.s := {self.kernel.tree}/a.c\n")
        self.kernel.depends = {}
        self.assertIsNone(self.kernel.objects_of("a.c"))
