# SPDX-License-Identifier: GPL-2.0
"""Child processes: each in a process group of its own, none outlives this one.
The steps of a build, with a log each."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

# What "make run_tests" was given is for us.  A make that we start would take it
# as its own.
NOT_FOR_CHILDREN = """LLVM TESTS MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL ARCH
	CROSS_COMPILE KBUILD_OUTPUT""".split()


def say(message):
    print(message, file=sys.stderr, flush=True)


def die(message, program="tdx"):
    """Ends this process with one line on stderr and status 1."""
    raise SystemExit(f"{program}: {message}")


def number(name, default, most, program="tdx", least=1):
    """Returns the number that a variable of the environment has."""
    text = os.environ.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
        die(f"{name}={text}: not between {least} and {most}", program)
    return int(text)


def build_environment():
    """Returns the environment for makes and compilers."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in NOT_FOR_CHILDREN}
    environment["LC_ALL"] = "C"
    return environment


class Children:
    """All children that run.  A signal that arrives while one is being started
    waits until it is known here."""

    def __init__(self):
        self.lock = threading.Lock()
        self.running = set()
        self.inherited = set()  # open files that each child keeps open
        self.starting = False   # in the main thread
        self.signal = None      # arrived meanwhile
        self.ending = False

    def handle(self, number, _frame):
        if self.starting:
            self.signal = number
        else:
            raise SystemExit(128 + number)

    def start(self, argv, **options):
        in_main = threading.current_thread() is threading.main_thread()
        self.starting = self.starting or in_main
        try:
            with self.lock:
                if self.ending:
                    raise SystemExit(1)
                child = subprocess.Popen([os.fspath(word) for word in argv],
                                         process_group=0,
                                         pass_fds=list(self.inherited), **options)
                self.running.add(child)
        finally:
            if in_main:
                self.starting = False
        if in_main and self.signal:
            raise SystemExit(128 + self.signal)
        return child

    def wait(self, child, timeout=None):
        status = child.wait(timeout)
        with self.lock:
            self.running.discard(child)
        return status

    def end(self, child, patience=5):
        """Ends a child and what it has started."""
        for number in signal.SIGTERM, signal.SIGKILL:
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                break
            try:
                child.wait(patience)
            except subprocess.TimeoutExpired:
                pass
        self.wait(child)

    def end_all(self):
        with self.lock:
            self.ending = True
            children = list(self.running)
        for child in children:
            self.end(child)


children = Children()
start = children.start
wait = children.wait
end = children.end


def open_standard_streams():
    """Gives a process that was started without stdin, stdout or stderr empty
    ones, or the next file that is opened would become that stream."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in "stdin", "stdout", "stderr":
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))


def run_main(main, arguments):
    """Runs a command, and ends its children however it ends.  Returns the exit
    status."""
    open_standard_streams()
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, children.handle)
    try:
        return main(arguments) or 0
    finally:
        # Those who end us tend to do so more than once.
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            signal.signal(number, signal.SIG_IGN)
        children.end_all()


def tied_to_us(argv):
    """Returns a command that is ended when this process dies, even by SIGKILL."""
    return ["setpriv", "--pdeathsig", "TERM", "--", *argv]


class StepFailed(Exception):
    pass


class Step:
    """One step of a build, announced on stderr, with the output of all its
    commands in one log.

        with Step("building QEMU 10.0.13", log) as step:
            step.run("ninja", "qemu-system-x86_64", cwd=build)
    """

    def __init__(self, text, log):
        self.text = text
        self.path = log
        self.began = time.monotonic()

    def __enter__(self):
        say(f"tdx: {self.text} ...")
        self.log = open(self.path, "w", errors="replace")
        return self

    def say(self, message):
        """Writes to the log."""
        print(message, file=self.log, flush=True)

    def run(self, *argv, **options):
        """Runs a command; its failure is the step's."""
        self.log.flush()
        status = wait(start(tied_to_us(argv), **{
            "stdin": subprocess.DEVNULL, "stdout": self.log,
            "stderr": self.log, "cwd": "/", "env": build_environment(), **options}))
        if status:
            raise StepFailed(f"{argv[0]}: status {status}")

    def output(self, *argv, **options):
        """Runs a command and returns what it prints."""
        child = start(argv, **{
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
            "stderr": self.log, "cwd": "/", "env": build_environment(),
            "text": True, **options})
        with child.stdout:
            text = child.stdout.read()
        status = wait(child)
        if status:
            raise StepFailed(f"{argv[0]}: status {status}")
        return text

    def __exit__(self, kind, value, _traceback):
        if kind and issubclass(kind, (StepFailed, OSError)):
            self.say(value)
        self.log.close()
        if kind and issubclass(kind, (StepFailed, OSError)):
            if not children.ending:
                self.fail()
            raise SystemExit(1) from None
        elapsed = int(time.monotonic() - self.began)
        if not kind and elapsed >= 2:
            say(f"tdx: {self.text}: {elapsed} s")

    def fail(self):
        with open(self.path, errors="replace") as log:
            for line in log.read().splitlines()[-15:]:
                say(f"    {line}")
        die(f"failed: {self.text}; the whole log: {self.path}")


def run_step(text, log, argv, **options):
    """A step of one command."""
    with Step(text, log) as step:
        step.run(*argv, **options)


def together(*functions):
    """Runs functions at the same time, the first in this thread's stead.  Returns
    what they return.  When one raises, the children of all are ended and the
    exception is raised here."""
    results = [None] * len(functions)
    done = queue.SimpleQueue()

    def call(number):
        try:
            results[number] = functions[number]()
            done.put(None)
        except BaseException as error:
            done.put(error)

    threads = [threading.Thread(target=call, args=(number,), daemon=True)
               for number in range(len(functions))]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            error = done.get()
            if error:
                raise error
    except BaseException:
        children.end_all()
        for thread in threads:
            thread.join(5)
        raise
    return results
