# SPDX-License-Identifier: GPL-2.0
"""make run_tests: builds what is missing and runs the tests where HOST says: on this
machine's KVM (native), in the box (box), or natively if this machine has TDX (auto).
TESTS and PROFILE choose, the latter one module or many (see sweep.py), and SEED the order in
which the box runs its CPUs; KTAP on stdout.  REPORT names a directory for a report."""

import collections
import os
import re
import select
import signal
import subprocess
import sys
import time

import ktap
import options
import sweep
from kernel_log import printable
from outcome import Failure
from parts import TDX, TOP, parts

BOX = TDX / "box"

# What a program's end does to its TD says nothing about the case.
TD_ENDS = re.compile(r"TDH\.(MEM\.(RANGE\.BLOCK|TRACK|PAGE\.REMOVE)|VP\.FLUSH|"
                     r"MNG\.VPFLUSHDONE|MNG\.KEY\.FREEID|PHYMEM\.|SYS\.)")
TRACED_CASES = 3
TRACED_CALLS = 20

RUNNING = re.compile(r"# running ([0-9]{1,6}) of ([0-9]{1,6}): ([\w.-]+)")
RESULT = re.compile(r"(?:not )?ok [0-9]{1,6} selftests: kvm: ([\w.-]+).*")
MAX_LINE = 1 << 16


def die(message):
    raise SystemExit(f"run_tests: {message}")


def has_tdx():
    """KVM clears the parameter if the machine cannot do TDX."""
    try:
        with open("/sys/module/kvm_intel/parameters/tdx") as parameter:
            return parameter.read().strip() == "Y" and os.access("/dev/kvm", os.W_OK)
    except OSError:
        return False


def choose_host():
    host = os.environ.get("HOST") or "auto"
    if host not in ("auto", "native", "box"):
        die(f"HOST={host}: auto, native or box")
    if host == "auto":
        return "native" if has_tdx() else "box"
    return host


# Records the module, for a report.
PROFILER = "x86/tdx_profile"


def all_tests():
    return sorted(f"x86/{path.stem}" for path in (TOP / "x86").glob("tdx_*_test.c"))


def choose_tests():
    """All tests, as x86/NAME, or those of TESTS."""
    known = all_tests()
    if not known:
        die("there are no tests")
    wanted = []
    for name in (os.environ.get("TESTS") or "").split():
        test = "x86/" + name.removeprefix("x86/")
        if test not in known:
            die(f"no such test: {name} "
                f"(there are: {' '.join(t.removeprefix('x86/') for t in known)})")
        wanted.append(test)
    return wanted or known


class StatusLine:
    """On a terminal, the last line tells which tests run, and since when."""

    def __init__(self, stream):
        self.stream = stream
        self.shown = False
        self.running = {}       # the time of each test's start
        self.number = self.total = 0
        self.drawn = 0

    def take(self, line):
        """Is it a line for us?"""
        match = RUNNING.fullmatch(line)
        if match:
            self.number = max(self.number, int(match[1]))
            self.total = int(match[2])
            self.running[match[3]] = time.monotonic()
        done = RESULT.fullmatch(line)
        if done:
            self.running.pop(done[1], None)
        return bool(match)

    def text(self):
        now = time.monotonic()
        tests = ", ".join(f"{name} {now - since:.0f} s"
                          for name, since in self.running.items())
        return f"[{self.number}/{self.total}] {tests}"

    def clear(self):
        if self.shown:
            self.stream.write("\r\033[K")
            self.stream.flush()
            self.shown = False

    def draw(self):
        try:
            width = os.get_terminal_size(self.stream.fileno()).columns or 80
        except OSError:
            width = 80
        self.clear()
        if self.running:
            self.stream.write(self.text()[:width - 1])
            self.stream.flush()
            self.shown = True
        self.drawn = time.monotonic()


def lines_of(stream, idle):
    """The lines of a pipe, cleaned of control characters; idle() is called about once
    a second."""
    fd = stream.fileno()
    rest = b""
    called = time.monotonic()
    while True:
        ready, _, _ = select.select([fd], [], [], 1)
        if time.monotonic() - called >= 1:
            idle()
            called = time.monotonic()
        if not ready:
            continue
        data = os.read(fd, MAX_LINE)
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > MAX_LINE or (rest and not data):
            lines.append(rest)
            rest = b""
        for line in lines:
            yield printable(line)
        if not data:
            return


class Suite:
    def __init__(self):
        self.child = None
        self.reader = ktap.Reader()
        self.status_line = StatusLine(sys.stderr) if sys.stderr.isatty() else None

    def start(self, argv, **options):
        self.child = subprocess.Popen([os.fspath(word) for word in argv],
                                      stdin=subprocess.DEVNULL, **options)
        return self.child

    def end(self):
        """Ends what still runs."""
        if self.child and self.child.poll() is None:
            self.child.terminate()
            self.child.wait()

    def wait(self):
        """As a shell tells a status."""
        status = self.child.wait()
        return status if status >= 0 else 128 - status

    def print(self, line):
        if self.status_line:
            self.status_line.clear()
        print(line, flush=True)

    def run(self, argv):
        """Runs a runner.  Prints what it prints, but for its totals, which come last of
        all.  Returns its exit status."""
        environment = dict(os.environ)
        environment.pop("TEST_PROGRESS", None)
        if self.status_line:
            environment["TEST_PROGRESS"] = "1"
        self.start(argv, stdout=subprocess.PIPE, env=environment)
        idle = self.status_line.draw if self.status_line else lambda: None
        for line in lines_of(self.child.stdout, idle):
            if self.status_line and self.status_line.take(line):
                idle()
                continue
            self.reader.feed(line)
            if not line.startswith(("TAP version ", "# Totals: ")):
                self.print(line)
        if self.status_line:
            self.status_line.clear()
        self.reader.finish()
        return self.wait()

    def trace(self, test, case, box):
        """Prints what the module did last in a case, which is run by itself."""
        print(f"# the last calls of the TDX module in {case}:")
        self.start([*box, "--trace", "--", test, "-r", case],
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        calls = collections.deque(maxlen=TRACED_CALLS)
        ending = collections.deque(maxlen=TRACED_CALLS)
        for line in lines_of(self.child.stderr, lambda: None):
            if not line.startswith("cpu"):
                continue
            ending.append(line)
            if not TD_ENDS.search(line):
                calls.extend(ending)
                ending.clear()
        self.wait()
        for line in calls:
            print(f"#     {line}", flush=True)

    def finish(self):
        for line in ktap.summary(self.reader):
            print(line, flush=True)


def report_directory():
    """Returns the directory that REPORT names, or None."""
    path = os.environ.get("REPORT")
    if not path:
        return None
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        die(f"REPORT={path}: {error.strerror}")
    return os.path.realpath(path)


# DEBUG's values, and the kernels that they name.
DEBUG_KERNELS = {"0": None, "1": "debug", "kcsan": "kcsan", "kmemleak": "kmemleak"}


def kernel_options():
    """Returns the part that is the kernel, and the box's options for it."""
    debug, config = os.environ.get("DEBUG") or "0", os.environ.get("KERNEL_CONFIG")
    if debug not in DEBUG_KERNELS:
        die(f"DEBUG={debug}: 1, kcsan or kmemleak")
    if DEBUG_KERNELS[debug] and config:
        die("DEBUG= and KERNEL_CONFIG= are two kernels")
    config = config or DEBUG_KERNELS[debug]
    return (options.kernel_part(config), ["--config", config]) if config else ("kernel", [])


def find_parts(names, tests, report):
    """Returns the parts that a run takes, and what it takes to report it."""
    return parts(names, [*tests, PROFILER] if report else tests)


def runner(found, tests, report):
    """Returns the command that runs the tests."""
    if not report:
        return [found["runner"] / "runner", found["tests"], *tests]
    command = ["sh", TDX / "host/run_tdx_tests.sh", "--report", report,
               "--runner", found["runner"] / "runner", "--tests", found["tests"],
               "--profiler", found["tests"] / PROFILER]
    kernel = set(found) & options.KERNEL_PARTS
    if kernel:
        command += ["--config", found[kernel.pop()] / ".config"]
    return [*command, *tests]


def run_natively(suite, tests):
    if os.environ.get("SEED"):
        die("SEED: only the box runs its CPUs by a seed: HOST=box")
    report = report_directory()
    found = find_parts(["tests", "runner"], tests, report)
    print(f"TAP version 13\n# native: Linux {os.uname().release}", flush=True)
    status = suite.run(runner(found, tests, report))
    suite.finish()
    return status


def run_in_box(suite, tests):
    report = report_directory()
    kernel, which = kernel_options()
    found = find_parts(["tests", "runner", "qemu", kernel, "init"], tests, report)
    profile = os.environ.get("PROFILE")
    release = (found[kernel] / "release").read_text().strip()
    version = (found["qemu"] / "version").read_text().strip()
    default = (found["qemu"] / "profile.help").read_text().split()[0]
    print(f"TAP version 13\n# box: Linux {release}, QEMU {version}, "
          f"module profile {profile or default}", flush=True)
    if which:
        # Such kernels take several times as long.
        os.environ["TEST_TIMEOUT"] = os.environ.get("TEST_TIMEOUT") or "900"
        os.environ["TIMEOUT"] = os.environ.get("TIMEOUT") or "5400"
    if kernel == "debug":
        # What luck finds, kcsan finds better.
        os.environ["KSFT_MACHINE_SLOW"] = os.environ.get("KSFT_MACHINE_SLOW") or "yes"
    seed = os.environ.get("SEED")
    box = [BOX, "run", "--timeout", os.environ.get("TIMEOUT") or "900",
           *(["--profile", profile] if profile else []), *which,
           *(["--seed", seed] if seed else [])]
    status = suite.run([*box, *(["--out", report] if report else []), "--",
                        *runner(found, tests, report)])
    if status:
        # The names come from inside.  That of the test becomes a path.
        cases = [case for case in suite.reader.of("fail")
                 if case.name and f"x86/{case.test}" in tests]
        for case in cases[:TRACED_CASES]:
            suite.trace(found["tests"] / "x86" / case.test, case.name, box)
    suite.finish()
    return status


def main(_arguments):
    host = choose_host()
    seeds = sweep.seeds(os.environ.get("PROFILE"))
    if seeds:
        return sweep.main(seeds)
    tests = choose_tests()
    suite = Suite()
    try:
        if host == "native":
            return run_natively(suite, tests)
        return run_in_box(suite, tests)
    except Failure as failure:
        if str(failure):
            die(failure)
        return 1
    except BrokenPipeError:
        # The reader of our output is gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    finally:
        suite.end()
