# SPDX-License-Identifier: GPL-2.0
"""make races: looks for the order of events in which a race of the suite's fails.

A box runs up to where the race begins, and from there once for each schedule, in a copy
of the machine; see tdx/qemu/schedule.c.  Each schedule comes from a seed.  What fails is
shortened, and told step by step.

RACES="NAME ..." chooses some of them, KERNEL_IMAGE=FILE another kernel, DEBUG=1 one that
looks for its own bugs, SECONDS=N how long to look in all, and SEED=N where to begin."""

import collections
import concurrent.futures
import copy
import functools
import os
import pathlib
import re
import select
import shlex
import socket
import subprocess
import sys
import threading
import time

import ktap
import options
import process
import programs
import schedule
import status
import suite
import symbols
from graph import TDX
from kernel_log import KernelLog, printable
from outcome import Failure
from parts import parts

CPUS = 4
BOOT_TIMEOUT = 120      # seconds

MOST = 1 << 20          # bytes of an output

# What a test says in the trace, with all of stderr, and what the machine says there.
FAILED = "==== Test Assertion Failure ===="
ENDS = re.compile(r"^the race ends; points ([0-9]+), of calls ([0-9]+)$", re.M)
SWITCH = re.compile(r"^cpu(\d+): stops at 0x([0-9a-f]+)( in user mode| in the TD|), ([\w ]+); "
                    r"point (\d+), cpu(\d+) goes on(?:; stack((?: 0x[0-9a-f]+)*))?$")
CALL = re.compile(r"^cpu(\d+)( TD vcpu\d+|): (.*?)\(.*?\) = ([\w |]+?)(?: \S*=.*)? <\d+ ns>$")

# The first schedule has no change, and tells how many points there are; then its reverse.
FIRST = schedule.Schedule(tuple(range(CPUS)), ())
SECOND = schedule.Schedule(tuple(reversed(range(CPUS))), ())

Race = collections.namedtuple("Race", "test name")

# verdict: "" if nothing is wrong, else "known" or "new", and why; points: how many there were,
# and how many of calls.
Outcome = collections.namedtuple("Outcome", "verdict why trace points")


def die(message):
    raise SystemExit(f"races: {message}")


# Which races there are.

def read_list(text):
    """Takes what a test prints for -l.  Returns the names of its cases."""
    names, fixture, test = [], "", ""
    for line in text.splitlines():
        if line.startswith(("#", "-")) or not line.strip():
            continue
        words = line.split()
        if not line.startswith(" "):
            fixture, *words = words
            variant = ""
        if len(line) - len(line.lstrip()) < 40 and (len(words) == 2 or line.startswith(" ")):
            variant, *words = words
        test = words[0] if words else test
        names.append(".".join(part for part in (fixture, variant, test) if part))
    return names


def declared(found):
    """Returns the races of the tests, which are their fixtures called race..."""
    races = []
    for path in sorted(pathlib.Path(TDX.parent / "x86").glob("tdx_*_test.c")):
        if "tdx/race.h" not in path.read_text():
            continue
        test = f"x86/{path.stem}"
        listed = subprocess.run([TDX / "box", "run", "--", found["tests"] / test, "-l"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False).stdout
        names = [name for name in read_list(listed) if name.startswith("race")]
        if not names:
            die(f"{test} names no race:\n{listed}")
        races += [Race(test, name) for name in names]
    return races


def choose(races):
    wanted = (os.environ.get("RACES") or "").split()
    for name in wanted:
        if not any(name in race.name for race in races):
            die(f"RACES: no such race: {name} (there are "
                f"{' '.join(race.name for race in races)})")
    return [race for race in races
            if not wanted or any(name in race.name for name in wanted)]


number = functools.partial(process.number, most=10 ** 9 - 1, program="races", least=0)


# One box.

class Kernel:
    """What the races run on: the box's options for it, and the parts that this takes."""

    def __init__(self):
        part, self.options = suite.kernel_options()
        if os.environ.get("KERNEL_IMAGE"):
            self.options = [*self.options, "--kernel", os.environ["KERNEL_IMAGE"]]
        self.box_options()      # before anything is built for wrong ones
        self.found = parts(["qemu", part, "init", "tests"])
        self.symbols = symbols.Symbols(self.box_options().kernel or
                                       self.found[part] / "vmlinux")

    def box_options(self):
        return options.parse(["--trace", "--cpus", str(CPUS), "--seed", str(FIRST),
                              *self.options])[0]


def tail_size(tail):
    return os.fstat(tail.ours).st_size


def failed_assertion(trace):
    """Returns what a test says of it, which is in the trace with all of stderr."""
    _, found, text = trace.partition(f"{FAILED}\n")
    lines = [line.strip() for line in text.splitlines() if not re.match(r"cpu\d", line)]
    lines = lines[:next((at for at, line in enumerate(lines) if line.startswith("#")),
                        len(lines))]
    return f"{lines[0]}: {lines[-1]}" if found and lines else ""


class Box:
    """A machine that stands where a race begins."""

    def __init__(self, race, kernel):
        import machine

        box_options = kernel.box_options()
        self.socket, box_options.schedules = socket.socketpair()
        box_options.schedules.set_inheritable(True)
        self.machine = machine.Machine(box_options, [race.test, "-r", race.name],
                                       kernel.found, programs.links(kernel.found["tests"]))
        self.machine.start()
        box_options.schedules.close()
        self.lines = self.socket.makefile("r")
        if self.answer(BOOT_TIMEOUT) != "ready":
            raise Failure(f"{race.name}: no race begins\n{self.last_words()}")
        self.tails = (self.machine.log_pipe, self.machine.stdout, self.machine.stderr,
                      self.machine.status_pipe)
        self.before = [tail_size(tail) for tail in self.tails]
        self.kernel_before = KernelLog()
        self.kernel_before.feed(self.contents(self.tails[0], 0))

    def last_words(self):
        """What a machine says that ended too early."""
        self.machine.read_errors()
        log, output, trace = (self.contents(tail, 0) for tail in (
            self.machine.log_pipe, self.machine.stdout, self.machine.stderr))
        kernel = KernelLog()
        kernel.feed(log)
        kernel.finish()
        texts = [self.machine.errors, output, *trace.splitlines()[-3:]]
        return "\n".join([*(printable(line) for text in texts for line in text.splitlines()),
                          kernel.last_lines()])

    def answer(self, timeout):
        """Returns a line that the machine says, or "" if it ends."""
        if not select.select([self.socket], [], [], timeout)[0]:
            raise Failure(f"the box says nothing for {timeout} s")
        return self.lines.readline().strip()

    def contents(self, tail, begin):
        """Returns what is there, but of very much only the beginning and the end."""
        end = tail_size(tail)
        if end - begin <= 2 * MOST:
            return os.pread(tail.ours, end - begin, begin)
        return os.pread(tail.ours, MOST, begin) + b"\n" + os.pread(tail.ours, MOST, end - MOST)

    def run(self, wanted):
        """Follows a schedule to its end.  Returns an Outcome."""
        self.socket.sendall(f"{wanted}\n".encode())
        answer = self.answer(BOOT_TIMEOUT)
        log, output, trace, result = self.tails
        outcome = self.judge(answer, self.contents(log, self.before[0]),
                             self.contents(output, 0),
                             self.contents(trace, self.before[2]), self.contents(result, 0))
        for tail, size in zip(self.tails, self.before):
            os.ftruncate(tail.ours, size)
        return outcome

    def judge(self, answer, log, output, trace, result):
        trace = "\n".join(printable(line) for line in trace.split(b"\n"))
        cases = ktap.read(printable(line) for line in output.split(b"\n"))
        kernel = copy.deepcopy(self.kernel_before)
        kernel.feed(log)
        kernel.finish()
        ends = ENDS.search(trace)
        points = (int(ends[1]), int(ends[2])) if ends else (0, 0)
        how, value = status.parse(result)
        if not answer:
            raise Failure("the box is gone")
        verdict, why = "new", ""
        if answer == "1":
            why = "it hangs"
        elif answer != "0":
            why = f"the box ended with status {answer}"
        elif kernel.complaint():
            why = kernel.complaint().splitlines()[1].strip()
        elif cases.failures():
            why = failed_assertion(trace) or str(cases.failures()[0])
        elif (how, value) != ("exit", 0):
            why = f"{how} {value}"
        elif cases.of("xfail"):
            verdict, why = "known", cases.of("xfail")[0].reason
        else:
            verdict = ""
        return Outcome(verdict, why, trace, points)

    def close(self):
        self.machine.clean_up()
        self.socket.close()


# A race.

class Search:
    """Looks for the failures of a race, until a time."""

    def __init__(self, race, kernel, first_seed, until):
        self.race, self.kernel, self.until = race, kernel, until
        self.lock = threading.Lock()
        self.next = first_seed
        self.points = (0, 0)    # to draw from, when that is known
        self.tried = 0
        self.different = set()
        self.failures = {}      # verdict: (seed, schedule, outcome), the first

    def take(self):
        """Returns a seed and its schedule, or None if there is no need for one."""
        with self.lock:
            if "new" in self.failures or time.monotonic() > self.until:
                return None
            self.next += 1
            return self.next - 1, schedule.draw(self.next - 1, *self.points, CPUS)

    def note(self, seed, wanted, outcome):
        with self.lock:
            self.tried += 1
            self.different.add(tuple(line.partition("; stack")[0]
                                     for line in outcome.trace.splitlines()
                                     if SWITCH.match(line)))
            if outcome.verdict:
                self.failures.setdefault(outcome.verdict, (seed, wanted, outcome))

    def learn(self, box):
        """How many points there are, from two runs without changes."""
        for wanted in FIRST, SECOND:
            outcome = box.run(wanted)
            self.note(None, wanted, outcome)
            if not outcome.verdict:
                self.points = max(self.points, outcome.points)
        if not self.points[0]:
            self.points = max(outcome.points, (1000, 0))

    def work(self, box):
        try:
            while taken := self.take():
                self.note(*taken, box.run(taken[1]))
        except BaseException:
            self.until = 0      # for the others
            raise

    def run(self):
        boxes = []
        try:
            boxes.append(Box(self.race, self.kernel))
            self.learn(boxes[0])
            while len(boxes) < (os.cpu_count() or 1):
                boxes.append(Box(self.race, self.kernel))
            with concurrent.futures.ThreadPoolExecutor(len(boxes)) as pool:
                list(pool.map(self.work, boxes))
            self.failures = {verdict: self.shorten(boxes[0], *failure)
                             for verdict, failure in self.failures.items()}
        finally:
            for box in boxes:
                box.close()

    def shorten(self, box, seed, wanted, outcome):
        """Leaves out changes, and makes them simpler, as long as the same happens."""
        def same(changes):
            nonlocal wanted, outcome
            tried = schedule.Schedule(wanted.order, tuple(changes))
            now = box.run(tried)
            if (now.verdict, now.why) != (outcome.verdict, outcome.why):
                return False
            wanted, outcome = tried, now
            return True

        at = 0
        while at < len(wanted.changes):
            changes = list(wanted.changes)
            if not same(changes[:at] + changes[at + 1:]):
                for simpler in {"after": 0}, {"away": ""}:
                    changes = list(wanted.changes)
                    changes[at] = changes[at]._replace(**simpler)
                    if changes[at] != wanted.changes[at]:
                        same(changes)
                at += 1
        return seed, wanted, outcome


# In words.

WIDTH = 40
MOST_TOLD = 30          # events at the beginning, and as many at the end
MOST_CALLS = 6          # functions on a stack


def collapse(events):
    """Takes pairs of CPU and text.  Returns them with repetitions in one."""
    result = []
    for cpu, text in events:
        if result and result[-1][:2] == (cpu, text):
            result[-1] = (cpu, text, result[-1][2] + 1)
        else:
            result.append((cpu, text, 1))
    return [(cpu, text + (f" x{times}" if times > 1 else "")) for cpu, text, times in result]


def where(symbols_of, match):
    """Where the CPU of a SWITCH has stopped."""
    if match[3]:
        return match[3].strip()
    address, *stack = (int(word, 16) for word in (match[2], *(match[7] or "").split()))
    names, last = [symbols_of.name(address)], symbols_of.function(address)
    for address in stack:
        found = symbols_of.function(address)
        if found and (not last or found[0] != last[0]) and len(names) < MOST_CALLS:
            names.append(symbols_of.caller(address))
            last = found
    return " < ".join(names)


def events(trace, symbols_of):
    for line in trace.splitlines():
        if match := SWITCH.match(line):
            cpu = int(match[1])
            if match[4] == "halted":
                yield cpu, "sleeps"
            else:
                yield cpu, f"{match[4]}: {where(symbols_of, match)}"
        elif match := CALL.match(line):
            yield int(match[1]), f"{match[3]} = {match[4]}"
        if ENDS.match(line) or line == FAILED:
            return


def drawing(trace, symbols_of):
    """Returns lines, a column for each CPU that took part."""
    told = collapse(events(trace, symbols_of))
    if len(told) > 2 * MOST_TOLD:
        left_out = len(told) - 2 * MOST_TOLD
        told = [*told[:MOST_TOLD], (told[MOST_TOLD][0], f"... {left_out} more ..."),
                *told[-MOST_TOLD:]]
    cpus = sorted({cpu for cpu, _ in told})
    lines = ["".join(f"cpu{cpu}".ljust(WIDTH) for cpu in cpus).rstrip()]
    for cpu, text in told:
        lines.append(" " * WIDTH * cpus.index(cpu) + text)
    return lines


# The variables that choose another kernel or QEMU for all commands.
CHOOSE_PARTS = ("KERNEL", "KSRC", "QEMU", "QEMU_SRC")


def command(race, kernel, wanted):
    """Returns what one types to see this run again, on the same kernel."""
    words = ["tdx/box", "run", "--seed", str(wanted), *kernel.options, "--",
             race.test, "-r", race.name]
    return " ".join([*(f"{name}={shlex.quote(os.environ[name])}" for name in CHOOSE_PARTS
                       if os.environ.get(name)), shlex.join(words)])


def tell(search):
    """Prints a race's row, and its failures."""
    verdict = "fails" if "new" in search.failures else (
        "known bug" if "known" in search.failures else "ok")
    print(f"{search.race.name:<60} {verdict:<10} {search.tried:6} seeds, "
          f"{len(search.different):6} different", flush=True)
    for seed, wanted, outcome in search.failures.values():
        print(f"    {outcome.why}")
        if seed is not None:
            print(f"    seed {seed}:{search.points[0]}:{search.points[1]}, shortened:")
        print(f"    {command(search.race, search.kernel, wanted)}")
        for line in drawing(outcome.trace, search.kernel.symbols):
            print(f"    | {line}".rstrip())
        sys.stdout.flush()


def main(arguments):
    if arguments:
        die("takes no arguments")
    try:
        kernel = Kernel()
    except Failure as failure:
        die(failure)
    races = choose(declared(kernel.found))
    end = time.monotonic() + number("SECONDS", 600)
    passed = failed = 0
    for at, race in enumerate(races):
        if failed and os.environ.get("TEST_FAIL_FAST"):
            break
        now = time.monotonic()
        search = Search(race, kernel, number("SEED", 1),
                        now + max(0, end - now) / (len(races) - at))
        try:
            search.run()
        except Failure as error:
            print(f"{race.name:<60} fails      {error}", flush=True)
            failed += 1
            continue
        tell(search)
        failed += "new" in search.failures
        passed += "new" not in search.failures
    print(f"{passed} passed, {failed} failed, {len(races) - passed - failed} skipped")
    return 1 if failed else 0
