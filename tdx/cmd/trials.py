# SPDX-License-Identifier: GPL-2.0
"""What a mutant is tried with.  These places follow one another until one of them
catches it:

  suite    the suite
  inject   tests while calls of the module fail, as in "make check PARTS=inject"
  erratum  the suite on a CPU with the partial-write erratum
  other    the suite on a CPU with another TSC, and a module that allows less in XFAM

Two more take a boot of their own, so only a mutant that names them is tried there:

  update   the module is replaced while a TD exists
  kexec    the next kernel initialises TDX again"""

import collections
import os
import pathlib
import re
import subprocess
import sys

import injections
import module_image
import process
from graph import TDX

# Of "own" trials: the only case to run, what is injected meanwhile, the profile.  Of
# "race": the races to run, see races.py.
Trial = collections.namedtuple("Trial", "place case plan profile", defaults=("", "", ""))

# One run of the box: what the row says of it, the options of the box, the command.  Or,
# without options, races, by their names.
Run = collections.namedtuple("Run", "name options command")

ERRATUM = "2.0.08,erratum"
OTHER = f"1.5.06,rules={TDX}/mutants/other.rules"

ALWAYS = ["suite", "inject", "erratum", "other"]
IF_NAMED = ["update", "kexec"]

# Each is a boot, as an update can't be undone.
UPDATES = ["update.td_lives_on", "update.of_a_running_td", "update.damaged_header_is_refused",
           "global.lost_damaged_module", "global.lost_damaged_signature"]

# How long a race is looked at, in seconds: as it should be, and with a mutant.
RACE_SECONDS = 30
RACE_SECONDS_OF_MUTANT = int(os.environ.get("RACE_SECONDS") or 600)

# What gives a mutant away, the first that is found.
KERNEL_COMPLAINS = r"^tdx/box: the kernel complained (while .*):$"
CATCHERS = [
    r"^(race\S*) +fails ",
    r"^(?:# |  |)not ok [0-9]+ (?!selftests: )(.*)",
    r"^not ok [0-9]+ selftests: kvm: (.*)",
    KERNEL_COMPLAINS,
    r"^tdx/box: (timeout .*); ",
    r"^tdx/box: (the machine ended before .*)",
]

PASSED = re.compile(r"^(?:# |  |)ok [0-9]+ (?!.* # SKIP)|^race\S* +(ok|known bug) ", re.M)


class MutantError(Exception):
    """Why a mutant can't be tried."""


def order(where):
    """Returns the places in the order in which a mutant is tried, which may say where
    it is caught."""
    if where and where not in ALWAYS + IF_NAMED:
        raise MutantError(f"no such place: {where}")
    first = [where] if where else []
    return first + [place for place in ALWAYS if place not in first]


def find_catcher(output, status):
    """Returns what gave the mutant away, from what the tests printed."""
    for pattern in CATCHERS:
        found = re.search(pattern, output, re.M)
        if found and pattern == KERNEL_COMPLAINS:
            return "splat " + re.sub(r"/\S+/", "", found[1])
        if found:
            return found[1]
    if status == 125:
        raise MutantError(f"the box: {(output.splitlines() or ['nothing said'])[-1]}")
    return f"the box ended with status {status}"


class Suite:
    """Runs the tests as "make run_tests" does, but no further than the first
    failure, few at a time, as it is the first that most likely fails."""

    def __init__(self, parts, work):
        self.parts = parts
        self.work = work
        self.output = work / "output"
        # A hang is a catch, so a test gets far more than it ever takes, and no more.
        self.timeout = int(os.environ.get("TEST_TIMEOUT") or 30)
        self.child = None
        self.kernel = None
        self.seconds = 0
        self.runs = []

    def suite(self, tests, *options):
        return [Run("", list(options),
                    [self.parts["runner"] / "runner", self.parts["tests"], *tests])]

    def own(self, trial, tests):
        options = [*(["--profile", trial.profile] if trial.profile else []),
                   *(["--inject", trial.plan] if trial.plan else [])]
        if not trial.case:
            return self.suite(tests, *options)
        test, case = trial.case.split()
        return [Run("", options, [self.parts["tests"] / "x86" / test, "-r", case])]

    def injected(self):
        found = injections.injections(self.parts["tests"] / "x86",
                                      self.parts["programs"] / "x86")
        return [Run(each.name, ["--inject", each.plan], each.command) for each in found]

    def release(self):
        """The module's release, if no profile is chosen."""
        return (self.parts["qemu"] / "profile.help").read_text().split()[0]

    def updates(self):
        images = self.work / "images"
        if not images.is_dir():
            images.mkdir()
            module_image.write_images(images, map(int, self.release().split(".")))
        return [Run(case, [], ["env", f"TDX_IMAGES={images}",
                               self.parts["programs"] / "x86/tdx_update", "-r", case])
                for case in UPDATES]

    def kexec(self):
        options = ["--profile", f"{self.release()},sys-disable", "--append", "retain_initrd"]
        return [Run("", options,
                    [self.parts["programs"] / "x86/tdx_kexec", self.kernel,
                     self.parts["tests"] / "x86/tdx_lifecycle_test"])]

    def find_runs(self, trial, tests):
        if trial.place == "own":
            return self.own(trial, tests)
        return {"suite": lambda: self.suite(tests),
                "inject": self.injected,
                "erratum": lambda: self.suite(tests, "--profile", ERRATUM),
                "other": lambda: self.suite(tests, "--profile", OTHER),
                "race": lambda: [Run("", None, trial.case)],
                "update": self.updates,
                "kexec": self.kexec}[trial.place]()

    def start(self, kernel, tests, trial, broken=True):
        self.kernel = kernel
        self.seconds = RACE_SECONDS_OF_MUTANT if broken else RACE_SECONDS
        self.runs = self.find_runs(trial, tests)
        self.start_run()

    def call(self):
        """Returns the command of the next run, and its own variables."""
        _, options, command = self.runs[0]
        if options is None:
            return [sys.executable, "-IS", TDX / "cmd", "races"], {
                "RACES": command, "KERNEL_IMAGE": str(self.kernel),
                "SECONDS": str(self.seconds), "TEST_FAIL_FAST": "1"}
        return [TDX / "box", "run", "--timeout", str(self.timeout + 120),
                "--kernel", self.kernel, *options, "--", *command], {
                    "TEST_TIMEOUT": str(self.timeout), "TEST_FAIL_FAST": "1", "TEST_JOBS": "2"}

    def start_run(self):
        command, variables = self.call()
        with open(self.output, "w") as output:
            self.child = process.start(command, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, env={**os.environ, **variables})

    def finish(self):
        """Returns what the tests found, or None if all passed."""
        while True:
            status = process.wait(self.child)
            output = self.output.read_text(errors="replace")
            name = f"{self.runs[0].name}: " if self.runs[0].name else ""
            if status:
                return name + find_catcher(output, status)
            if not PASSED.search(output):
                return name + "each case is skipped"
            del self.runs[0]
            if not self.runs:
                return None
            self.start_run()
