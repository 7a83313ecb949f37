# SPDX-License-Identifier: GPL-2.0
"""mutants: "make mutants".  Breaks KVM on purpose, one mutant at a time, and runs
the suite until it fails.

A mutant is a file NAME.sed of sed's extended regular expressions, with
    # file: PATH        the file of the kernel that it changes
    # TEXT              what is broken
    # tests: TEST...    the tests to begin with (optional)
    # where: PLACE      where it is caught, if not by the suite: see trials.py
    # profile: NAME     the profile of the module (optional)
    # case: TEST CASE   the only case to run (optional)
    # inject: PLAN      and what is injected into the module meanwhile
A mutant that breaks a lock has a case and a plan, as whether two calls meet would
else be a matter of luck: "TDH.VP.INIT:lingers@1" makes one keep the module's locks
until the other has come.  Others are tried at one place after the other.

What takes two threads that meet at an instruction is found by "make races":
    # race: NAME...     those to look at, for ten minutes at most, or RACE_SECONDS

Two kinds are only listed, and tried when MUTANT names them:
    # needs: schedule   one that "make races" doesn't find in a minute or two
    # invisible: REASON why nobody can see it

MUTANTS names a directory of others, MUTANT=NAME,... some of them.  With RESUME=1
those that were caught before, by the same tests on the same kernel and the same
box, are not run again.

A row each: name, the place if it is not the suite and the case that caught it, or
SURVIVED or an error, seconds.  What cannot be applied, compiled or run is an error,
not a catch.

Only the objects that depend on the mutated file are compiled, by the commands that
kbuild has saved beside them, and then the kernel is linked.  The next mutant is
built while one runs, as a kernel is linked by one CPU."""

import concurrent.futures
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import cache
import debian
import process
import selftests
from build import build
from graph import TDX, compiler
from kernel import MACHINE, configure, jobs
from process import Step, StepFailed, build_environment, say
from trials import MutantError, Suite, Trial, order

# A mutant with more objects than that is left to kbuild.
MOST_OBJECTS = 150


def die(message):
    process.die(message, "mutants")


class Mutant:
    """One mutant, as its file describes it."""

    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.text = path.read_text()

    def header(self, key):
        found = re.search(rf"^# {key}:[ \t]*(.*?)[ \t]*$", self.text, re.M)
        return found[1] if found else ""

    @property
    def file(self):
        return self.header("file")

    @property
    def own_trial(self):
        return Trial("own", *map(self.header, ("case", "inject", "profile")))

    @property
    def trials(self):
        """What it is tried with, one after the other."""
        if self.header("race"):
            return [Trial("race", self.header("race"))]
        if any(self.own_trial[1:]):
            return [self.own_trial]
        return [Trial(place) for place in order(self.header("where"))]

    @property
    def listed(self):
        """Why it is listed and not tried, or ""."""
        if self.header("needs"):
            return f"needs a {self.header('needs')}"
        reason = self.header("invisible")
        return reason and f"invisible: {reason}"

    def order(self, tests):
        """Returns tests, with those first that the mutant names."""
        first = [f"x86/{name}" for name in
                 self.header("tests").split() + self.header("case").split()[:1]]
        if not set(first) <= set(tests):
            raise MutantError("it names a test that is not there")
        return first + [name for name in tests if name not in first]

    def apply(self, linux):
        """Returns the file that it changes, mutated."""
        path = linux / self.file
        if not self.file or ".." in self.file.split("/") or not path.is_file():
            raise MutantError(f"no such file: {self.file}")
        sed = subprocess.run(["sed", "-E", "-f", self.path, path], capture_output=True)
        if sed.returncode:
            lines = sed.stderr.decode(errors="replace").splitlines() or ["failed"]
            raise MutantError(f"sed: {lines[-1]}")
        if sed.stdout == path.read_bytes():
            raise MutantError("it changes nothing")
        return sed.stdout


def choose(directory, wanted):
    """Returns the mutants in a directory, or those of these names."""
    names = [name.removesuffix(".sed") for name in re.split(r"[,\s]+", wanted) if name]
    for name in names:
        if not (directory / f"{name}.sed").is_file():
            die(f"no such mutant: {directory / name}.sed")
    paths = [directory / f"{name}.sed" for name in names] or sorted(directory.glob("*.sed"))
    if not paths:
        die(f"no mutants in {directory}")
    mutants = [Mutant(path) for path in paths]
    for mutant in mutants:
        try:
            order(mutant.header("where"))
        except MutantError as error:
            die(f"{mutant.name}: {error}")
    return mutants


def saved_command(text):
    """Returns what kbuild's file .NAME.o.cmd says was done to make NAME.o, and the
    files that NAME.o depends on."""
    command = re.search(r"^(?:saved)?cmd_\S+ := (.*)$", text, re.M)
    depends = re.search(r"^deps_\S+ := \\\n((?:.*\\\n)*.*)", text, re.M)
    source = re.search(r"^source_\S+ := (\S+)$", text, re.M)
    files = [word for word in depends[1].split() if word != "\\"] if depends else []
    if source:
        files.append(source[1])
    # make's quoting, as kbuild's make-cmd has it
    command = command[1].replace("$(pound)", "#").replace("$$", "$") if command else ""
    return command, files


class BrokenKernel:
    """A kernel that is mutated.  Its source is a tree of links, so that it costs
    nothing; a link makes room for the file that was mutated."""

    def __init__(self, linux):
        self.linux = linux
        self.config = MACHINE / "kernel.config"
        self.top = cache.need() / "mutants" / cache.hash_of(
            str(linux), cache.hash_file(self.config), compiler())
        self.tree = self.top / "tree"
        self.build = self.top / "build"
        self.saved = self.top / "saved"         # objects as they were before
        self.complete = self.top / "complete"   # kbuild went through
        self.depends = {}

    def prepare(self):
        """Makes the tree, or what a killed run left of it, like the source."""
        self.top.mkdir(parents=True, exist_ok=True)
        os.utime(self.top)
        if not self.tree.is_dir():
            say("mutants: copying the kernel's source")
            new = self.top / "tree.new"
            shutil.rmtree(new, ignore_errors=True)
            subprocess.run(["cp", "-as", self.linux, new], check=True)
            os.rename(new, self.tree)
        if self.saved.is_dir():
            self.restore_objects()
        found = subprocess.run(["find", self.tree, "-type", "f"], stdout=subprocess.PIPE,
                               text=True, check=True).stdout
        for path in found.splitlines():
            name = pathlib.Path(path).relative_to(self.tree)
            if self.complete.exists():
                self.restore_link(name)
            else:
                self.restore_copy(name)

    def restore_copy(self, name):
        """Makes a file newer than its objects, which may be a mutant's: kbuild would
        leave those of an older file as they are."""
        (self.tree / name).unlink()
        (self.tree / name).write_bytes((self.linux / name).read_bytes())

    def restore_link(self, name):
        (self.tree / name).unlink()
        (self.tree / name).symlink_to(self.linux / name)

    def make_all(self, log):
        """Has kbuild build the kernel, as it is."""
        with open(log, "w") as output:
            step = QuietStep(output)
            self.complete.unlink(missing_ok=True)
            configure(step, self.tree, self.build, [self.config])
            step.run("make", "-C", self.tree, f"O={self.build}", jobs(), "vmlinux")
            self.complete.touch()

    def objects_of(self, name):
        """Returns the object files that depend on a file of the source, with the
        commands that make them; None if it takes more than that."""
        if not self.depends:
            for path in self.build.rglob(".*.cmd"):
                command, files = saved_command(path.read_text(errors="replace"))
                target = path.with_name(path.name[1:].removesuffix(".cmd"))
                for file in files:
                    # KVM's common files have paths with "..".
                    self.depends.setdefault(os.path.normpath(file), []).append(
                        (target, command))
        objects = self.depends.get(str(self.tree / name), [])
        if not objects or len(objects) > MOST_OBJECTS:
            return None
        if any(not command or target.suffix != ".o" or not target.is_file()
               for target, command in objects):
            return None
        return objects

    def compile(self, objects, output):
        def make(object_and_command):
            child = process.start(["sh", "-c", object_and_command[1]], cwd=self.build,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  env=build_environment())
            return process.wait(child)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            if any(pool.map(make, objects)):
                raise StepFailed("the compiler failed")

    def link(self, output):
        """Links the kernel again.  What "." names is kbuild's walk over all
        directories, which is told to be done."""
        (self.build / "built-in.a").touch()
        QuietStep(output).run("make", "-rR", "--no-print-directory", "-f",
                              self.tree / "Makefile", "-o", ".", "vmlinux", cwd=self.build)

    def save_objects(self, objects):
        new = self.top / "saved.new"
        shutil.rmtree(new, ignore_errors=True)
        for target, _ in objects:
            to = new / target.relative_to(self.build)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(target, to)
        os.rename(new, self.saved)

    def restore_objects(self):
        for path in self.saved.rglob("*.o"):
            shutil.copy2(path, self.build / path.relative_to(self.saved))
        shutil.rmtree(self.saved)

    def make(self, name, contents, log):
        """Builds the kernel with other contents in one file."""
        objects = self.objects_of(name) if self.complete.exists() else None
        if objects:
            self.save_objects(objects)
        else:
            self.complete.unlink(missing_ok=True)
        (self.tree / name).unlink()
        (self.tree / name).write_bytes(contents)
        try:
            if objects:
                with open(log, "w") as output:
                    self.compile(objects, output)
                    self.link(output)
            else:
                self.make_all(log)
        finally:
            if objects:
                self.restore_link(name)
                self.restore_objects()
            else:
                self.restore_copy(name)
                self.complete.unlink(missing_ok=True)

    def restore(self, log):
        """Builds the kernel as it came."""
        if not self.complete.exists():
            self.make_all(log)
            return
        with open(log, "w") as output:
            self.link(output)


class QuietStep(Step):
    """A step that says nothing, and whose failure is an exception."""

    def __init__(self, output):
        super().__init__("", "")
        self.log = output


def compiler_error(log):
    """Returns the line of a build's log that says what is wrong."""
    lines = log.read_text(errors="replace").splitlines() or ["nothing said"]
    return next((line for line in lines if "error" in line), lines[-1])


class Results:
    """What was caught in earlier runs, for those who resume one."""

    def __init__(self, path):
        self.path = path
        self.caught = {}
        with contextlib.suppress(OSError, ValueError):
            self.caught = json.loads(path.read_text())

    def key(self, mutant):
        return f"{mutant.name} {cache.hash_of(mutant.text)}"

    def find(self, mutant):
        return self.caught.get(self.key(mutant))

    def add(self, mutant, verdict):
        self.caught[self.key(mutant)] = verdict
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.caught))
        os.rename(new, self.path)


class Run:
    """One run of "make mutants"."""

    def __init__(self, mutants, parts, work):
        named = bool(os.environ.get("MUTANT"))
        self.tried = [mutant for mutant in mutants if named or not mutant.listed]
        self.listed = [mutant for mutant in mutants if mutant not in self.tried]
        self.work = work
        self.log = work / "build"
        self.tests = selftests.all_tests()
        self.suite = Suite(parts, work)
        self.kernel = BrokenKernel(parts["linux"])
        self.whole = self.kernel.top / "vmlinux"    # without any mutant
        self.same = cache.hash_of(*map(str, parts.values()))
        self.results = Results(self.kernel.top / f"caught-{self.same}")
        self.resumed = os.environ.get("RESUME") and self.results
        self.running = None     # a mutant, its kernel and tests, and when it began
        self.caught = 0

    def check_without(self):
        """What fails without a mutant proves nothing.  That it passed is remembered
        for whoever tries one mutant after the other."""
        trials = sorted({mutant.trials[0] for mutant in self.tried})
        if self.kernel.complete.exists() and (os.environ.get("MUTANT") or self.resumed):
            trials = [trial for trial in trials if not self.passed(trial).exists()]
        if not trials and self.whole.exists():
            return
        try:
            self.kernel.restore(self.log)
        except StepFailed:
            say(self.log.read_text(errors="replace"))
            die("the kernel does not build")
        shutil.copy(self.kernel.build / "vmlinux", self.whole)
        for trial in trials:
            self.try_without(trial)

    def passed(self, trial):
        return self.kernel.top.parent / (
            f"passed-{self.kernel.top.name}-{self.same}-{cache.hash_of(*trial)}")

    def try_without(self, trial):
        what = ["" if trial.place == "own" else trial.place, *trial[1:]]
        say("mutants: without any, " + " ".join(filter(None, what)))
        self.suite.start(self.whole, self.tests, trial, broken=False)
        try:
            catcher = self.suite.finish()
        except MutantError as error:
            catcher = error
        if catcher:
            self.passed(trial).unlink(missing_ok=True)
            for line in self.suite.output.read_text(errors="replace").splitlines()[-40:]:
                say(line)
            die(f"it fails without any mutant: {catcher}")
        self.passed(trial).touch()

    def set_aside(self):
        """Returns a kernel that the next build does not replace."""
        kernel = self.work / "vmlinux"
        kernel.unlink(missing_ok=True)
        shutil.copy(self.kernel.build / "vmlinux", kernel)
        return kernel

    def build(self, mutant):
        """Builds a mutant's kernel.  Returns the tests in its order."""
        ordered = mutant.order(self.tests)
        contents = mutant.apply(self.kernel.linux)
        try:
            self.kernel.make(mutant.file, contents, self.log)
        except StepFailed:
            raise MutantError(f"it does not compile: {compiler_error(self.log)}") from None
        return ordered

    def row(self, mutant, verdict, began):
        """The times of one and the next overlap."""
        print(f"{mutant.name:<40} {verdict:<60} {int(time.monotonic() - began):4} s", flush=True)

    def start(self, mutant, ordered, began):
        kernel = self.set_aside()
        self.suite.start(kernel, ordered, mutant.trials[0])
        self.running = mutant, kernel, ordered, began

    def find_catcher(self, mutant, kernel, ordered):
        """Goes on to the next place where one doesn't catch the mutant.  Returns what
        did, or None."""
        for number, trial in enumerate(mutant.trials):
            if number:
                if not self.passed(trial).exists():
                    self.try_without(trial)
                self.suite.start(kernel, ordered, trial)
            if catcher := self.suite.finish():
                named = trial.place not in ("own", "suite", "race")
                return f"{trial.place}: {catcher}" if named else catcher
        return None

    def finish_running(self):
        if not self.running:
            return
        mutant, kernel, ordered, began = self.running
        self.running = None
        try:
            catcher = self.find_catcher(mutant, kernel, ordered)
        except MutantError as error:
            self.row(mutant, f"ERROR: {error}", began)
            return
        if catcher:
            self.caught += 1
            self.results.add(mutant, catcher)
        self.row(mutant, catcher or "SURVIVED", began)

    def try_one(self, mutant):
        if self.resumed and (verdict := self.resumed.find(mutant)):
            self.caught += 1
            print(f"{mutant.name:<40} {verdict:<60} before", flush=True)
            return
        began = time.monotonic()
        try:
            ordered, error = self.build(mutant), None
        except MutantError as reason:
            error = reason
        self.finish_running()
        if error:
            self.row(mutant, f"ERROR: {error}", began)
        else:
            self.start(mutant, ordered, began)

    def try_all(self):
        for mutant in self.tried:
            self.try_one(mutant)
        self.finish_running()
        for mutant in self.listed:
            print(f"{mutant.name:<40} {mutant.listed}", flush=True)
        print(summary(self.caught, len(self.tried), self.listed))
        return int(self.caught != len(self.tried))


def summary(caught, tried, listed):
    invisible = sum(bool(mutant.header("invisible")) for mutant in listed)
    return "; ".join([f"{caught} of {tried} mutants caught",
                      *([f"{len(listed) - invisible} need a schedule"]
                        if len(listed) > invisible else []),
                      *([f"{invisible} are invisible"] if invisible else [])])


def main(_arguments):
    directory = pathlib.Path(os.environ.get("MUTANTS") or TDX / "mutants").absolute()
    mutants = choose(directory, os.environ.get("MUTANT", ""))
    parts = build(["linux", "tests", "programs", "runner", "qemu", "init"])
    debian.install()
    (cache.need() / "mutants").mkdir(exist_ok=True)
    with open(cache.directory() / "mutants/lock", "w") as guard, \
            tempfile.TemporaryDirectory(prefix="tdx-mutants.") as work:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            die("another run of the mutants is under way")
        run = Run(mutants, parts, pathlib.Path(work))
        run.kernel.prepare()
        try:
            run.check_without()
            return run.try_all()
        finally:
            process.children.end_all()
