# SPDX-License-Identifier: GPL-2.0
"""coverage [DIR]: "make coverage", what the suite reaches of the kernel's code about TDX,
counted by the inner kernel's gcov.

The suite runs, part of it again on a module with 5-level EPT, and then the boxes in
which something fails (see failures.py), all on one kernel; the counts add up.  Printed
are the lines, branches and refusals that were not reached, with the reasons that
tdx/unreached has, and the sums, for the suite alone and for all.  TESTS= chooses some
tests, and leaves out the rest.

SUITE=DIR measures the programs in another directory instead, below it, too: those that
print KTAP, and others by their exit status.

DIR (coverage) gets pages made by gcovr, index.html first."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import threading

import coverage_report
import debian
import failures
import injections
import module_image
import process
import selftests
import trials
from build import build
from graph import TDX
from kernel import Coverage

MOST_BYTES = 4 << 20
SECONDS = 900       # for all programs of a run
JOBS = 2            # of the boxes in which something fails or changes

# The cases of tdx_update that a boot each is for.
UPDATES = ["global.versions", *trials.UPDATES]

# The release that the updates begin with.
OLDER = (1, 5, 6)

# Runs inside: a command, then the counters of objects, which are separated by blanks,
# to where they last.
INSIDE = """
out=$1
objects=$2
shift 2
"$@"
status=$?
for object in $objects; do
	find /sys/kernel/debug/gcov -path "*/$object.gcda" -exec cp --no-preserve=all {} \\
		"$out/$(echo $object | tr / %).gcda" \\;
done
exit $status
"""


def die(message):
    process.die(message, "coverage")


def read_counters(path, gcno):
    """Returns the contents of a file of counters that belongs to gcno.  Root inside
    may have put anything there: a link, a pipe, a file without end, or one that
    names other sources, which this kind has no place for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        die(f"no counters {path.name}: {error.strerror}")
    try:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or about.st_size > MOST_BYTES:
            die(f"{path.name} is no file of counters")
        data = os.read(fd, MOST_BYTES)
    finally:
        os.close(fd)
    # Magic, version of the format, and what the compiler stamped both with
    if data[:4] != b"adcg" or data[4:12] != gcno[4:12]:
        die(f"{path.name} is no file of this kernel's counters")
    return data


def programs_of(directory):
    """Returns the names of the programs in a directory and below it."""
    top = pathlib.Path(directory)
    if not top.is_dir():
        die(f"SUITE={directory}: no such directory")
    names = sorted(str(path.relative_to(top)) for path in top.rglob("*")
                   if path.is_file() and os.access(path, os.X_OK))
    if not names:
        die(f"SUITE={directory}: no programs there")
    return top.absolute(), names


class Counter:
    """Runs commands on the kernel that counts, and adds up the counters of all runs,
    beside a copy of what they refer to."""

    def __init__(self, kernel, work):
        self.kernel = kernel
        self.work = work
        self.sum = work / "sum"
        self.lock = threading.Lock()
        self.failed = []
        for path in Coverage.objects():
            base = self.sum / path
            base.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(kernel / f"{path}.gcno", base.with_suffix(".gcno"))

    def add(self, counters):
        """Adds a directory of counters to the sum."""
        with self.lock:
            if not any(self.sum.rglob("*.gcda")):
                shutil.copytree(counters, self.sum, dirs_exist_ok=True)
                return
            merged = self.work / "merged"
            merge = subprocess.run(["gcov-tool", "merge", self.sum, counters, "-o", merged],
                                   stdout=subprocess.DEVNULL)
            if merge.returncode:
                die("gcov-tool failed")
            shutil.copytree(merged, self.sum, dirs_exist_ok=True)
            shutil.rmtree(merged)

    def run(self, name, options, command, is_right=lambda status: status == 0):
        """name is a directory's; is_right says whether the box's exit status is."""
        directory = self.work / name
        # What of several is printed at a time is of no use.
        output = subprocess.DEVNULL if name.startswith("more/") else None
        given = directory / "given"     # by the program inside
        given.mkdir(parents=True)
        box = process.start(
            [TDX / "box", "run", "--timeout", str(SECONDS), "--out", given, *options,
             "--kernel", self.kernel / "vmlinux", "--",
             "sh", "-c", INSIDE, "-", given, " ".join(Coverage.objects()), *command],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        if not is_right(process.wait(box)):
            self.failed.append(name)
        for path in Coverage.objects():
            gcno = (self.kernel / f"{path}.gcno").read_bytes()
            counters = directory / "counters" / f"{path}.gcda"
            counters.parent.mkdir(parents=True, exist_ok=True)
            counters.write_bytes(
                read_counters(given / (path.replace("/", "%") + ".gcda"), gcno))
        shutil.rmtree(given, ignore_errors=True)
        self.add(directory / "counters")

    def updates(self, programs):
        """Returns the runs in which the module is updated, each with an image of its own."""
        images = self.work / "images"
        images.mkdir()
        module_image.write_images(images, OLDER)
        return [(f"more/{case}", [], ["env", f"TDX_IMAGES={images}",
                                      programs / "tdx_update", "-r", case]) for case in UPDATES]

    def run_boxes(self, programs):
        """Runs the boxes in which something fails or changes, some at a time."""
        waiting = [(f"more/{case}", ["--inject", plan],
                    [programs / "tdx_seamcall_fails", "-r", case])
                   for case, plan in failures.cases()]
        waiting += self.updates(programs)
        for number, refusal in enumerate(failures.REFUSALS):
            directory = self.work / f"refusal{number}"
            directory.mkdir()
            waiting.append((f"more/{refusal.name}",
                            *failures.refusal_run(refusal, directory),
                            lambda status, refusal=refusal: failures.refused(refusal, status)))

        def work():
            while waiting:
                self.run(*waiting.pop())

        process.together(*[work] * JOBS)

    def pages(self, linux, out=None):
        """Has gcovr read the sum, and write pages.  Returns its data."""
        counts = self.work / "counts.json"
        files = "|".join(coverage_report.files())
        run = subprocess.run(
            ["gcovr", "--root", linux, "--filter", f".*/({files})$", "--json", counts,
             *(["--html-details", out / "index.html"] if out else []),
             "--object-directory", self.sum, self.sum], stdout=subprocess.DEVNULL)
        if run.returncode:
            die("gcovr failed")
        return json.loads(counts.read_text())


# What is run beyond the suite: a name, the box's options, tests.
MORE = [
    ("gpaw", ["--profile", "1.5.06,gpaw=52"], ["tdx_init_vm_test", "tdx_gpa_width_test"]),
    ("erratum", ["--profile", "1.5.06,erratum"], ["tdx_lifecycle_test", "tdx_conversion_test"]),
    ("busy", ["--inject", "TDH.MEM.SEPT.ADD:OPERAND_BUSY+TDH.MEM.PAGE.AUG:OPERAND_BUSY+"
                          "TDH.MEM.PAGE.ADD:OPERAND_BUSY"],
     ["tdx_lifecycle_test", "tdx_conversion_test"]),
    ("trace", ["--inject", "TDH.VP.ENTER:OPERAND_BUSY"], ["tdx_trace_test"]),
    ("zap", ["--inject", failures.ZAP], ["tdx_memory_storm_test"]),
    ("interrupted", ["--inject", "TDG.VP.VMCALL:smi+"
                                 "TDH.PHYMEM.CACHE.WB:INTERRUPTED_RESUMABLE"],
     ["tdx_lifecycle_test"]),
]


def run_more(counter, runner, parts):
    programs = parts["programs"] / "x86"
    counter.run("failures", ["--inject", injections.failures_plan()], [programs / "tdx_failures"])
    for name, options, tests in MORE:
        counter.run(name, options, [*runner, *[f"x86/{test}" for test in tests]])
    counter.run_boxes(programs)


def main(arguments):
    out = pathlib.Path(arguments[0] if arguments else "coverage").absolute()
    chosen, directory = os.environ.get("TESTS", "").split(), os.environ.get("SUITE")
    try:
        names = selftests.choose_tests(chosen)
    except LookupError as error:
        die(error)
    if directory:
        directory, names = programs_of(directory)
    out.mkdir(parents=True, exist_ok=True)
    debian.install(debian.CHECKERS)
    parts = build(["coverage", "tests", "runner", "programs", "linux", "qemu", "init"])
    runner = [parts["runner"] / "runner", directory or parts["tests"]]
    linux = parts["linux"]

    with tempfile.TemporaryDirectory(prefix="tdx-coverage.") as tmp:
        work = pathlib.Path(tmp)
        counter = Counter(parts["coverage"], work)
        reasons = (TDX / "unreached").read_text()
        alone = None
        if directory or chosen:
            counter.run("suite", [], [*runner, *names])
        else:
            counter.run("suite", [], [*runner, *names])
            alone = coverage_report.Report(linux, counter.pages(linux), reasons)
            run_more(counter, runner, parts)
        data = counter.pages(linux, out)
    report = coverage_report.Report(linux, data, reasons)
    for line in report.missed(with_reasons=not directory) + report.sums(alone):
        print(line)
    if counter.failed:
        die(f"not all tests passed: {', '.join(sorted(counter.failed))}")
