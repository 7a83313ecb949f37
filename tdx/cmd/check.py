# SPDX-License-Identifier: GPL-2.0
"""check [PART]...: the project's own tests, "make check".  Each part prints TAP; what
is counted at the end is what they printed.

  module  unit tests of the emulated module
  inside  CPUID and MSRs in a TD, on each profile of the module; TDs beside CPUs
          that are busy with what QEMU keeps in one place; the host's PMU
  suite   the tests in the box, as "make run_tests" does it
  inject  tests while calls of the module fail in ways that KVM has to bear, or can't,
          and machines that KVM can't use for TDX
  guest   Linux as a TD in the box
  strangers
          a distribution's VMM, firmware, loaders and kernels in the box
  intree  the suite in a kernel tree, by the kernel's own makefiles
  tarball the installed suite, on a machine that has nothing else; what a run leaves;
          that no case harms the host
  box     the launcher, and what runs the tests
  tools   unit tests of the tools
  lint    checkpatch, shellcheck, the rules of this tree, builds without a warning
  stress  the suite's random test, its stress test and its storm in their long
          forms, which take half an hour; only if asked for
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import debian
import failures
import house_rules
import ktap
import mutants
import suite
from check_strangers import check_strangers
from check_tarball import check_tarball
from injections import injections
from outcome import Failure
from parts import TDX, TOP, parts

BOX = TDX / "box"
COMMANDS = [sys.executable, "-IS", TDX / "cmd"]
ALL = "module inside suite inject guest strangers intree tarball box tools lint".split()
IF_ASKED = ["stress"]
OUTPUT_LINES = 40       # of a test that failed

# What "make check" was given is not for the makes that are called here.
NOT_FOR_CHILDREN = "LLVM TESTS MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL".split()

# Runs inside.  Without TDX, each of the tests has to give status 4.
SKIPS = """
for test; do
	"$test"
	status=$?
	[ $status = 4 ] || {
		echo "$test: status $status, not 4"
		exit 1
	}
done"""

KERNELS_RUNNER = """
BASE_DIR=${1%/kvm}
. "$BASE_DIR/kselftest/runner.sh"
cd "$1" && shift && run_many "$@" && [ "$KTAP_CNT_FAIL" = 0 ]
"""

# What the module gives a TD; the second runs whatever the first says.
TD_TABLES = 'cd "$1"; ./tdx_td_cpuid; status=$?; ./tdx_td_msrs && exit $status'

# The attributes' short names are the kernel's own; lists of names and fixtures of
# tests are macros that are no expression.
CHECKPATCH_IGNORES = ("PREFER_DEFINED_ATTRIBUTE_MACRO,COMPLEX_MACRO,"
                      "MULTISTATEMENT_MACRO_USE_DO_WHILE")


def words(argv):
    return [os.fspath(word) for word in argv]


class Part:
    """A part's tests as they run.  Each line is printed and counted."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = directory      # for files
        self.reader = ktap.Reader()
        self.number = 0
        self.child = None

    def emit(self, line):
        print(line, flush=True)
        self.reader.feed(line)

    def start(self, argv, **options):
        self.child = subprocess.Popen(words(argv), cwd=TOP, stdin=subprocess.DEVNULL,
                                      **options)
        return self.child

    def end(self):
        if self.child and self.child.poll() is None:
            self.child.terminate()
            self.child.wait()

    def stream(self, *argv, **options):
        """Runs a program that prints TAP.  Returns its status."""
        self.start(argv, stdout=subprocess.PIPE, **options)
        for line in suite.lines_of(self.child.stdout, lambda: None):
            self.emit(line)
        return self.child.wait()

    def run(self, argv, **options):
        """Returns the status and the output of a command."""
        with tempfile.TemporaryFile() as output:
            self.start(argv, stdout=output, stderr=subprocess.STDOUT, **options)
            status = self.child.wait()
            output.seek(0)
            return status, output.read().decode(errors="replace")

    def result(self, name, ok, output=""):
        self.number += 1
        self.emit(f"{'ok' if ok else 'not ok'} {self.number} {name}")
        if not ok:
            # Indented, as "# not ok" is how the kernel's runner prints a case.
            for line in output.splitlines()[-OUTPUT_LINES:]:
                self.emit(f"#   {line}")

    def ok(self, name, *argv, **options):
        """A test that is a command."""
        status, output = self.run(argv, **options)
        self.result(name, not status, output)
        return not status

    def plan(self):
        self.emit(f"1..{self.number}")
        return 0


def check_module(part):
    debian.install()
    return part.stream("make", "-s", "-C", "tdx/module", "check",
                       f"O={part.directory}/module")


# Profiles with modifiers, beside the releases.
MODIFIED = ["1.5.06,erratum", "1.5.06,few-keys=2", "1.5.06,gpaw=52",
            "2.0.08,erratum,few-keys=2,gpaw=52"]


def with_module(profiles):
    """The releases in the list of profiles, which begins with a line for each."""
    names = [line.split()[0] for line in profiles.split("\n\n")[0].splitlines()
             if not line.startswith(" ")]
    return [name for name in names if name != "none" and ":" not in name]


def check_inside(part):
    programs = parts(["programs"])["programs"] / "x86"
    profiles = subprocess.run(words([BOX, "profiles"]), check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    for profile in [*with_module(profiles), *MODIFIED]:
        status, output = part.run([BOX, "run", "--timeout", "300", "--profile", profile, "--",
                                   "sh", "-c", TD_TABLES, "-", programs])
        # A line for each row; of interest is what fails.
        part.result(f"inside: CPUID and MSRs, {profile}", not status, "\n".join(
            line for line in output.splitlines() if not line.startswith("ok ")))
    part.ok("inside: a TD's CPU, and what the others do to it",
            BOX, "run", "--timeout", "120", "--", programs / "tdx_cpus")
    part.ok("inside: the host's PMU",
            BOX, "run", "--timeout", "120", "--", programs / "tdx_pmu")
    part.ok("inside: the CPU's XSAVE and CET",
            BOX, "run", "--timeout", "120", "--", programs / "tdx_xsave")
    return part.plan()


def check_suite(part):
    return part.stream(*COMMANDS, "suite", env={**os.environ, "HOST": "box"})


def check_inject(part):
    found = parts(["tests", "programs"])
    tests, programs = found["tests"] / "x86", found["programs"] / "x86"
    for name, plan, command in injections(tests, programs):
        part.ok(f"inject: {name}", BOX, "run", "--timeout", "300", "--inject", plan, "--",
                *command)
    part.ok("inject: a page is zapped while vCPUs want to enter", BOX, "run", "--timeout", "120",
            "--inject", failures.ZAP, "--", tests / "tdx_memory_storm_test")
    # The mutants of these locks have to fail.
    for trial in sorted({mutant.own_trial for mutant in mutants.choose(TDX / "mutants", "")}):
        if trial.plan:
            test, case = trial.case.split()
            part.ok(f"inject: no call is refused, {trial.plan}, {case}", BOX, "run",
                    "--timeout", "120", "--inject", trial.plan, "--", tests / test, "-r", case)
    for case, plan in failures.cases():
        part.ok(f"inject: KVM gives up, {case}, {plan}", BOX, "run", "--timeout", "120",
                "--inject", plan, "--", programs / "tdx_seamcall_fails", "-r", case)
    for refusal in failures.REFUSALS:
        options, command = failures.refusal_run(refusal, part.directory)
        status, output = part.run([BOX, "run", "--timeout", "120", *options, "--", *command])
        part.result(f"inject: a machine without TDX, {refusal.name}",
                    failures.refused(refusal, status), output)
    return part.plan()


def check_guest(part):
    found = parts(["programs", "guest"])
    return part.stream(BOX, "run", "--timeout", "120", "--",
                       found["programs"] / "x86/tdx_linux",
                       found["guest"] / "vmlinux", found["guest"] / "initramfs")


def copy_tree(tree, headers, to):
    """The kernel's files that building selftests takes."""
    for name in ("include", "scripts", "tools", "arch/x86", "drivers/dma",
                 "drivers/net/ethernet/intel/igb"):
        shutil.copytree(tree / name, to / name, symlinks=True)
    for name in "Makefile", "Kbuild":
        shutil.copy2(tree / name, to / name)
    shutil.copytree(headers / "include", to / "usr/include", symlinks=True)


def check_intree(part):
    debian.install(debian.CHECKERS)
    found = parts(["linux", "headers"])
    linux = pathlib.Path(part.directory, "linux")
    kvm = linux / "tools/testing/selftests/kvm"
    tests = suite.all_tests()
    selftests = ["make", "-C", linux / "tools/testing/selftests", "TARGETS=kvm",
                 "TEST_GEN_PROGS_COMMON=", f"TEST_GEN_PROGS_x86={' '.join(tests)}",
                 "TEST_GEN_PROGS_EXTENDED_COMMON=", "TEST_GEN_PROGS_EXTENDED_x86=",
                 "TEST_PROGS_x86=", "TEST_PROGS_COMMON="]
    install = ["make", "install-tree", f"KSRC={linux}"]
    copies = [kvm / test for test in tests]
    try:
        copy_tree(found["linux"], found["headers"], linux)
        part.result("intree: copying the tree", True)
    except OSError as error:
        part.result("intree: copying the tree", False, str(error))
    part.stream(*COMMANDS, "unittests", "tree*.py",
                env={**os.environ, "TDX_TEST_LINUX": os.fspath(found["linux"])})
    part.number = part.reader.results
    part.ok("intree: install-tree", *install)
    part.ok("intree: install-tree again", *install)
    part.ok("intree: make", *selftests, f"-j{os.cpu_count()}")
    part.ok("intree: the kernel's runner in the box", BOX, "run", "--timeout", "900", "--",
            "sh", "-c", KERNELS_RUNNER, "-", kvm, *tests)
    part.ok("intree: it skips in a box without TDX", BOX, "run", "--profile", "none", "--",
            "sh", "-c", SKIPS, "-", *copies)
    if not suite.has_tdx():
        part.ok("intree: it skips here, without TDX", "sh", "-c", SKIPS, "-", *copies)
    part.ok("intree: make run_tests, where it skips or passes", *selftests, "run_tests")
    return part.plan()


def check_box(part):
    status = part.stream(*COMMANDS, "unittests", "launcher*.py")
    return part.stream(*COMMANDS, "unittests", "runner*.py") or status


def check_tools(part):
    part.stream(*COMMANDS, "unittests")
    part.number = part.reader.results
    part.ok("tools: anchors in QEMU's source", "tdx/qemu/test/insert_test")
    return part.plan()


def check_stress(part):
    tests = parts(["tests"])["tests"] / "x86"
    part.ok("stress: a million random TDCALLs", BOX, "run", "--",
            tests / "tdx_tdcall_random_test", env={**os.environ, "TDX_CALLS": "1000000"})
    part.ok("stress: 10,000 TDs, and 500 processes killed", BOX, "run", "--",
            tests / "tdx_stress_test",
            env={**os.environ, "TDX_LIVES": "10000", "TDX_KILLS": "500"})
    part.ok("stress: every allocation of KVM's fails", BOX, "run", "--",
            tests / "tdx_no_memory_test", env={**os.environ, "TDX_EVERY_ALLOCATION": "1"})
    part.ok("stress: everything at once on the same memory", BOX, "run", "--cpus", "8", "--",
            tests / "tdx_memory_storm_test", env={**os.environ, "TDX_STORM": "300"})
    return part.plan()


def without_warnings(part, name, *argv):
    status, output = part.run(argv)
    warned = [line for line in output.splitlines() if "warning" in line.lower()]
    part.result(name, not status and not warned, output if status else "\n".join(warned))


def tracked_files():
    """The text of each file of the tree, by its path."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, check=True,
                           stdout=subprocess.PIPE, text=True).stdout.split("\0")
    return {name: (TOP / name).read_text(errors="replace")
            for name in names if name and (TOP / name).is_file()}


def compiles(part, path, text):
    try:
        compile(text, path, "exec", dont_inherit=True)
        part.result(f"python: {path}", True)
    except SyntaxError as error:
        part.result(f"python: {path}", False, str(error))


def check_lint(part):
    debian.install(debian.CHECKERS)
    found = parts(["linux", "headers"])
    files = tracked_files()
    for path, text in files.items():
        first = text.partition("\n")[0]
        if path.endswith((".c", ".h")):
            part.ok(f"checkpatch: {path}", "perl", found["linux"] / "scripts/checkpatch.pl",
                    "--no-tree", "--terse", "--no-summary", "--file", path,
                    "--ignore", CHECKPATCH_IGNORES)
        elif path.endswith(".py") or (first.startswith("#!") and "python" in first):
            compiles(part, path, text)
        elif first.startswith(("#!/bin/sh", "#!/bin/bash")) or "\n# shellcheck shell" in text:
            part.ok(f"shellcheck: {path}", "shellcheck", "-x", "-P", "SCRIPTDIR", path)
    part.ok("tdx_abi.h agrees with the kernel", sys.executable, "-I", TDX / "cmd/abi.py",
            found["linux"], found["headers"])
    for name, rule in house_rules.RULES.items():
        broken = rule(files)
        part.result(name, not broken, "\n".join(broken))
    for compiler in "gcc", "clang":
        for path in "tdx/machine/init.c", "tdx/guest/init.c", "tdx/machine/runner.c":
            without_warnings(part, f"{compiler}: {path}", compiler, "-Wall", "-Wextra", "-O2",
                             "-static", "-o", f"{part.directory}/program", path)
    extra = " ".join(path for path in files
                     if path.startswith("tdx/") and pathlib.Path(path).match("tdx_*.c"))
    for compiler, options in ("gcc", []), ("clang", ["LLVM=1"]):
        without_warnings(part, f"{compiler}: the tests", "make", "-f", "selftests.mk",
                         f"-j{os.cpu_count()}", f"KSRC={found['linux']}",
                         f"KHDR={found['headers']}", f"EXTRA={extra}",
                         f"OUTPUT={part.directory}/{compiler}", *options)
    return part.plan()


def run_part(name, directory):
    """Runs a part with its output shown and counted; one that fails without saying
    which test did counts as one test that failed."""
    print(f"# {name}", flush=True)
    part = Part(name, directory)
    try:
        status = globals()[f"check_{name}"](part)
    except (Failure, SystemExit) as failure:
        if isinstance(failure, SystemExit) and isinstance(failure.code, int) and failure.code > 1:
            raise       # by a signal
        status = str(failure) or "it could not start"
    finally:
        part.end()
    part.reader.finish()
    if status and not part.reader.failures():
        print(f"not ok {name}: status {status}", flush=True)
        part.reader.add(ktap.Case("", name, "fail"))
    return part.reader.totals()


def main(arguments):
    for name in arguments:
        if name not in ALL + IF_ASKED:
            raise SystemExit(f"check: no part '{name}' (there are: {' '.join(ALL + IF_ASKED)})")
    for name in NOT_FOR_CHILDREN:
        os.environ.pop(name, None)
    totals = dict.fromkeys(ktap.RESULTS, 0)
    with tempfile.TemporaryDirectory() as directory:
        for name in arguments or ALL:
            for result, number in run_part(name, directory).items():
                totals[result] += number
    passed = totals["pass"] + totals["xfail"] + totals["xpass"]
    failed = totals["fail"] + totals["error"]
    print(f"{passed} passed, {failed} failed, {totals['skip']} skipped")
    return 0 if passed and not failed else 1
