# SPDX-License-Identifier: GPL-2.0
"""The runner of the tests, on this machine, with scripts as tests."""

import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time

from parts import TDX, parts
from program import ProgramTest

RUNNER = None


def runner():
    global RUNNER
    RUNNER = RUNNER or parts(["runner"])["runner"] / "runner"
    return RUNNER


def totals(**counts):
    names = ["pass", "fail", "xfail", "xpass", "skip", "error"]
    return "# Totals: " + " ".join(
        f"{name}:{counts.get(name + '_', 0)}" for name in names) + "\n"


class RunnerTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.program = [runner(), self.directory]
        os.mkdir(f"{self.directory}/x86")
        # Processes that are left are known by this name.
        self.left = f"{self.directory}/tdx-left"
        os.symlink(shutil.which("sleep"), self.left)

    def script(self, name, text, more=""):
        """One of the tests that are run."""
        path = f"{self.directory}/x86/{name}"
        with open(path, "w") as file:
            file.write(f"#!/bin/bash\n{text}\n{more}")
        os.chmod(path, 0o755)
        return f"x86/{name}"

    def prints(self, output, *lines):
        self.assertEqual(output, "".join(line if line.endswith("\n") else line + "\n"
                                         for line in lines))

    def none_left(self):
        """No process that a test has started runs any more.  They were killed, which
        takes effect in its own time."""
        for _ in range(500):
            if not any(self.runs(path) for path in pathlib.Path("/proc").glob("[0-9]*")):
                return
            time.sleep(0.02)
        self.fail("something is left")

    def runs(self, process):
        try:
            command = (process / "cmdline").read_bytes()
            state = (process / "stat").read_text().rpartition(") ")[2][0]
        except OSError:
            return False
        return self.left.encode() in command and state not in "ZX"

    def order(self, output):
        return [line.partition("ok ")[2].partition(" #")[0].replace("selftests: kvm: ", "")
                for line in output.splitlines() if line.startswith(("ok ", "not ok "))]


class Runner(RunnerTest):
    def test_passes(self):
        test = self.script("good", "echo one; echo -n two >&2")
        output, _ = self.gives(0, test)
        self.prints(output, "TAP version 13", "1..1", "# selftests: kvm: good", "# one",
                    "# two", "ok 1 selftests: kvm: good", totals(pass_=1))

    def test_is_skipped(self):
        output, _ = self.gives(0, self.script("skip", "exit 4"))
        self.prints(output, "TAP version 13", "1..1", "# selftests: kvm: skip",
                    "ok 1 selftests: kvm: skip # SKIP", totals(skip_=1))

    def test_fails(self):
        output, _ = self.gives(1, self.script("fails", "exit 3"))
        self.prints(output, "TAP version 13", "1..1", "# selftests: kvm: fails",
                    "not ok 1 selftests: kvm: fails # exit=3", totals(fail_=1))

    def test_is_ended_by_a_signal(self):
        output, _ = self.gives(1, self.script("signal", "kill -SEGV $$"))
        self.assertIn("\nnot ok 1 selftests: kvm: signal # exit=139\n", output)

    def test_is_not_there(self):
        output, _ = self.gives(1, "x86/none")
        self.assertIn("\n# runner: x86/none: No such file or directory\n", output)
        self.assertIn("\nnot ok 1 selftests: kvm: none # exit=127\n", output)

    def test_cases_are_nested_and_counted(self):
        test = self.script("cases", "\n".join(f"echo '{line}'" for line in (
            "Random seed: 0x1", "TAP version 13", "1..5", "ok 1 a", "ok 2 b # SKIP why",
            "ok 3 c # XFAIL a bug", "not ok 4 d", "not ok 5 e # SKIP", "okay")), "exit 1")
        output, _ = self.gives(1, test)
        self.prints(output, "TAP version 13", "1..1",
                    "  KTAP version 1", "  # Subtest: selftests: kvm: cases",
                    "  Random seed: 0x1", "  1..5", "  ok 1 a", "  ok 2 b # SKIP why",
                    "  ok 3 c # XFAIL a bug", "  not ok 4 d", "  not ok 5 e # SKIP", "  okay",
                    "not ok 1 selftests: kvm: cases # exit=1",
                    totals(pass_=1, fail_=2, xfail_=1, skip_=1))

    def test_ends_before_its_cases_do(self):
        test = self.script("crashes", "echo 1..3; echo ok 1 a; kill -SEGV $$")
        output, _ = self.gives(1, test)
        self.assertTrue(output.endswith(totals(pass_=1, error_=1)), output)

    def test_plans_nothing(self):
        output, _ = self.gives(0, self.script("nothing", "echo '1..0 # SKIP no TDX'; exit 4"))
        self.prints(output, "TAP version 13", "1..1", "# selftests: kvm: nothing",
                    "# 1..0 # SKIP no TDX", "ok 1 selftests: kvm: nothing # SKIP",
                    totals(skip_=1))

    def test_hangs_with_all_that_it_has_started(self):
        # A process of a group of its own, as the kernel's harness has for each case.
        test = self.script("hangs", f"set -m; '{self.left}' 1000 & wait")
        output, _ = self.gives(1, test, environment={"TEST_TIMEOUT": "1"})
        self.assertIn("\nnot ok 1 selftests: kvm: hangs # TIMEOUT 1 seconds\n", output)
        self.none_left()

    def test_several_at_a_time_the_largest_first(self):
        tests = [self.script("skip", "exit 4", "#" * 20), self.script("good", "", "#" * 90),
                 self.script("signal", "kill -SEGV $$", "#" * 40), self.script("fails", "exit 3")]
        output, _ = self.gives(1, *tests, environment={"TEST_JOBS": "2"})
        self.assertEqual(self.order(output), ["1 good", "2 signal", "3 skip", "4 fails"])

    def test_says_what_it_starts_if_asked(self):
        test = self.script("good", "")
        output, _ = self.gives(0, test, environment={"TEST_PROGRESS": "1"})
        self.assertIn("\n1..1\n# running 1 of 1: good\n# selftests", output)

    def test_first_failure_is_the_end(self):
        tests = [self.script("hangs", f"set -m; '{self.left}' 1000 & wait"),
                 self.script("fails", "exit 3")]
        output, _ = self.gives(1, *tests,
                               environment={"TEST_FAIL_FAST": "1", "TEST_JOBS": "2"})
        self.prints(output, "TAP version 13", "1..2", "# selftests: kvm: fails",
                    "not ok 2 selftests: kvm: fails # exit=3", totals(fail_=1))
        self.none_left()

    def elf(self, name, note=None):
        """A program that tells at its end whether another ran beside it; with a note of
        that type."""
        os.makedirs(f"{self.directory}/running", exist_ok=True)
        source = f"{self.directory}/{name}.c"
        path = f"{self.directory}/x86/{name}"
        with open(source, "w") as file:
            file.write(PROGRAM.replace("@NAME@", name).replace("@DIR@", self.directory)
                       .replace("@NOTE@", NOTE.replace("@TYPE@", str(note)) if note else ""))
        subprocess.run(["gcc", "-o", path, source], check=True)
        return f"x86/{name}"

    def test_runs_alone_if_its_note_says_so(self):
        tests = [self.elf("alone_a", 1), self.elf("beside"), self.elf("alone_b", 1)]
        output, _ = self.gives(0, *tests, environment={"TEST_JOBS": "3"})
        self.assertEqual([name.split()[1] for name in self.order(output)],
                         ["beside", "alone_a", "alone_b"])

    def test_starts_first_if_its_note_says_so(self):
        tests = [self.elf("alone", 1), self.elf("short_a"), self.elf("long", 2),
                 self.elf("short_b")]
        output, _ = self.gives(0, *tests, environment={"TEST_JOBS": "1"})
        self.assertEqual([name.split()[1] for name in self.order(output)],
                         ["long", "short_a", "short_b", "alone"])

    def test_program_whose_notes_make_no_sense(self):
        header = (b"\x7fELF\x02\x01\x01".ljust(16, b"\0") +
                  struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 65535, 0, 0, 0))
        segment = struct.pack("<IIQQQQQQ", 4, 4, 120, 0, 0, 24, 24, 4)
        note = struct.pack("<III", 0xffffffff, 0xffffffff, 1) + b"kselftest\0\0\0"
        path = f"{self.directory}/x86/odd"
        for data in (header + segment + note, header, header + segment, header[:20]):
            with open(path, "wb") as file:
                file.write(data)
            os.chmod(path, 0o755)
            output, _ = self.gives(1, "x86/odd")
            self.assertIn("not ok 1 selftests: kvm: odd", output)

    def test_ended_by_a_signal_with_all_that_it_has_started(self):
        os.mkfifo(f"{self.directory}/up")
        test = self.script("waits", f"echo up >'{self.directory}/up'; set -m; "
                                    f"'{self.left}' 1000 & wait")
        process = subprocess.Popen([runner(), self.directory, test],
                                   stdout=subprocess.DEVNULL)
        with open(f"{self.directory}/up") as up:
            up.readline()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 143)
        self.none_left()

    def test_no_tests(self):
        self.complains(1, "usage: runner DIR TEST")

    def test_no_such_directory(self):
        self.program = [runner(), "/nonexistent"]
        self.complains(1, "runner: /nonexistent: No such file or directory", "good")

    def test_a_number_that_is_none(self):
        for text in "many", "0", "-1", "1x":
            self.complains(1, f"TEST_JOBS: not a number: '{text}'", "x86/good",
                           environment={"TEST_JOBS": text})


class Script(RunnerTest):
    """What a TDX host runs.  It passes on what the runner does."""

    def setUp(self):
        super().setUp()
        self.program = ["sh", TDX / "host/run_tdx_tests.sh", "--runner", runner(),
                        "--tests", self.directory]
        self.reports = f"{self.directory}/a/b"

    def report(self):
        reports = list(pathlib.Path(self.reports).iterdir())
        self.assertEqual(len(reports), 1)
        return reports[0].read_text()

    def test_status_and_output(self):
        good, bad = self.script("good", "echo one"), self.script("bad", "exit 3")
        for options in [], ["--report", self.reports]:
            output, _ = self.gives(1, *options, good, bad)
            self.assertIn("\nok 1 selftests: kvm: good\n", output)
            self.assertIn(f"\nnot ok 2 selftests: kvm: bad # exit=3\n{totals(pass_=1, fail_=1)}",
                          output)
        self.assertEqual(len(os.listdir(self.reports)), 1)
        self.assertIn("\nnot ok 2 selftests: kvm: bad # exit=3\n", self.report())

    def test_all_tests(self):
        os.symlink(self.directory + "/x86", self.directory + "/kvm")
        self.script("tdx_a_test", "")
        self.script("tdx_b", "")
        output, _ = self.gives(0, "--tests", self.directory + "/kvm")
        self.assertEqual(self.order(output), ["1 tdx_a_test"])

    def test_profile_in_the_report(self):
        profiler = self.script("profiler", "echo the profile")
        self.gives(0, "--report", self.reports, "--profiler", f"{self.directory}/{profiler}",
                   self.script("good", ""))
        self.assertIn("\n===== profile =====\nthe profile\n", self.report())

    def test_bad_arguments(self):
        for arguments, text in ((["x86/none"], "no such test: x86/none"),
                                (["--report"], "--report wants a value"),
                                (["--tests", "/none"], "no such directory: /none"),
                                (["--tests", "/etc"], "no tests in /etc"),
                                (["--other"], "usage: ")):
            self.complains(2, text, *arguments)

    def test_interrupted(self):
        os.mkfifo(f"{self.directory}/up")
        test = self.script("waits", f"echo up >'{self.directory}/up'; '{self.left}' 1000")
        for options in [], ["--report", self.reports]:
            process = subprocess.Popen([*map(os.fspath, self.program), *options, test],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       start_new_session=True)
            with open(f"{self.directory}/up") as up:
                up.readline()
            os.killpg(process.pid, signal.SIGINT)
            self.assertEqual(process.wait(), 130)
            self.none_left()
        self.assertIn("\n===== profile =====\n", self.report())


NOTE = """
static const struct { unsigned int a, b, c; char name[12]; } note
__attribute__((used, aligned(4), section(".note.kselftest"))) = { 10, 0, @TYPE@, "kselftest" };
"""

PROGRAM = """
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
@NOTE@
int main(void)
{
	int others = 0, tries;

	close(open("@DIR@/running/@NAME@", O_CREAT | O_WRONLY, 0600));
	for (tries = 0; tries < 50; tries++) {
		DIR *dir = opendir("@DIR@/running");
		struct dirent *entry;

		while ((entry = readdir(dir)))
			others += entry->d_name[0] != '.' && strcmp(entry->d_name, "@NAME@");
		closedir(dir);
		usleep(1000);
	}
	unlink("@DIR@/running/@NAME@");
	return others != 0;
}
"""
