# SPDX-License-Identifier: GPL-2.0
"""The options of "tdx/box run" and "tdx/box shell"."""

import os
import random
import re

import recording
import schedule
from outcome import Failure
from recording import NO_PMU_FOR_VMS, Machine

FLAGS = {"--trace", "--plain", "--gdb"}
VALUES = {"--cpus", "--threads", "--memory", "--timeout", "--out", "--kernel", "--config",
          "--append", "--profile", "--inject", "--log", "--seed"}

MAX_CPUS = 64
MAX_THREADS = 2
MAX_TIMEOUT = 10 ** 9

# Sharing these would hide what the machine itself has there.
MACHINES_OWN = ["/proc", "/sys", "/dev"]


class Options:
    def __init__(self):
        self.cpus = 4           # of a drawn or recorded machine: as many as that has
        self.threads = 1        # in each core; the same
        self.memory = 2048      # megabytes
        self.timeout = None     # seconds
        self.out = None
        self.kernel = None
        self.kernel_part = "kernel"     # which one, without an image
        self.append = ""
        self.profile = None     # as given: a name or a file
        self.recording = None   # the facts in that file
        self.module = None      # what QEMU is told
        self.inject = None
        self.seed = None        # or a schedule, as QEMU takes it
        self.schedules = None   # a socket from which schedules come
        self.log_file = None    # a descriptor
        self.trace = self.plain = self.gdb = False
        self.terminal = False
        self.directory = None   # where the command runs


def number(option, text, most):
    if not re.fullmatch("[0-9]+", text):
        raise Failure(f"{option}: not a number: '{text}'")
    if not 1 <= int(text) <= most:
        raise Failure(f"{option}: {text} is not between 1 and {most}")
    return int(text)


def megabytes(text):
    match = re.fullmatch("([0-9]{1,9})([MG]?)", text)
    if not match:
        raise Failure(f"--memory: not a size: '{text}'")
    return int(match[1]) * (1024 if match[2] == "G" else 1)


def image(text):
    if not os.path.isfile(text) or not os.access(text, os.R_OK):
        raise Failure(f"--kernel: no such file: {text}")
    return os.path.abspath(text)


# Kernels with names; others have a configuration of the user's.
KERNELS = {"debug", "kcsan", "kmemleak", "vmm"}
KERNEL_PARTS = {*KERNELS, "kernel", "configured"}

# Megabytes, for kernels that look for their own bugs: they poison all memory, and KASAN keeps
# the more of what is freed, the more there is.  One of the user's may need a shadow and more.
DEBUG_MEMORY = 1024
CONFIGURED_MEMORY = 4096


def kernel_part(config):
    """Returns the part that is the kernel with this configuration, a name or a file."""
    if config in KERNELS:
        return config
    if not os.path.isfile(config) or not os.access(config, os.R_OK):
        raise Failure(f"--config: no such file: {config} ({', '.join(sorted(KERNELS))} are "
                      "there without one)")
    os.environ["KERNEL_CONFIG"] = os.path.abspath(config)
    return "configured"


def shared_directory(text):
    if not os.path.isdir(text) or not os.access(text, os.W_OK):
        raise Failure(f"--out: no directory to write to: {text}")
    path = os.path.realpath(text)
    if path == "/":
        raise Failure("--out: / as a whole cannot be shared, name a directory below it")
    for own in MACHINES_OWN:
        if path == own or path.startswith(own + "/"):
            raise Failure(f"--out: {own} is the machine's own inside")
    return path


def log_file(text):
    try:
        return os.open(text, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise Failure(f"--log: cannot write {text}: {error.strerror}")


def split(arguments):
    """Returns the options as given, in a dict, and the command."""
    given = {}
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        option = arguments[at]
        at += 1
        if option == "--":
            break
        if option in FLAGS:
            given[option] = True
        elif option in VALUES:
            if at == len(arguments):
                raise Failure(f"{option} wants a value")
            given[option] = arguments[at]
            at += 1
        else:
            raise Failure(f"unknown option: {option} (see tdx/box help)")
    return given, arguments[at:]


def drawn_machine(profile):
    """Returns the machine that a random profile is on, or None for another profile."""
    match = re.fullmatch("random:([0-9]{1,9})", profile or "")
    if not match:
        return None
    draw = random.Random(int(match[1]))
    return Machine(draw.choice([1, 2, 3, 4, 5, 8]), draw.choice([1, 2]),
                   draw.choice(["", "", "", NO_PMU_FOR_VMS]))


def chosen_machine(options):
    """Returns the machine that the profile says."""
    if options.recording:
        return recording.recorded_machine(options.recording)
    return drawn_machine(options.profile) or Machine(options.cpus, options.threads, "")


def chosen_threads(given, cpus, threads):
    """Returns how many threads a core has: as many as the profile says, if that goes with
    the number of CPUs."""
    if "--threads" not in given:
        return threads if cpus % threads == 0 else 1
    threads = number("--threads", given["--threads"], MAX_THREADS)
    if cpus % threads:
        raise Failure(f"--threads: {cpus} CPUs can't be cores of {threads}")
    return threads


def parse(arguments):
    """Returns the options, checked, and the command."""
    given, command = split(arguments)
    options = Options()
    options.trace = "--trace" in given
    options.plain = "--plain" in given
    options.gdb = "--gdb" in given
    if options.plain:
        for option in "--trace", "--profile", "--inject", "--seed":
            if option in given:
                raise Failure(f"{option}: with --plain there is no TDX module")
    options.profile = options.module = given.get("--profile")
    if options.profile and recording.is_file(options.profile):
        options.recording = recording.load(options.profile)
    machine = chosen_machine(options)
    options.cpus = machine.cpus
    if "--cpus" in given:
        options.cpus = number("--cpus", given["--cpus"], MAX_CPUS)
    options.threads = chosen_threads(given, options.cpus, machine.threads)
    if given.get("--config"):
        if given.get("--kernel"):
            raise Failure("--config: a kernel that is there has its configuration")
        options.kernel_part = kernel_part(given["--config"])
        if options.kernel_part != "vmm":
            options.memory = (CONFIGURED_MEMORY if options.kernel_part == "configured"
                              else DEBUG_MEMORY)
    if "--memory" in given:
        options.memory = megabytes(given["--memory"])
    # An empty value is none, for scripts.
    if given.get("--timeout"):
        options.timeout = number("--timeout", given["--timeout"], MAX_TIMEOUT)
    if given.get("--kernel"):
        options.kernel = image(given["--kernel"])
    if given.get("--out"):
        options.out = shared_directory(given["--out"])
    options.append = machine.kernel_options + given.get("--append", "")
    options.inject = given.get("--inject")
    if given.get("--seed"):
        if options.gdb:
            raise Failure("--seed: nothing from outside, such as gdb, gets into such a machine")
        options.seed = schedule.parse(given["--seed"], options.cpus)
    if given.get("--log"):
        options.log_file = log_file(given["--log"])
    try:
        options.directory = os.getcwd()
    except OSError:
        raise Failure("the current directory is gone")
    return options, command
