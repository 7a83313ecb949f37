# SPDX-License-Identifier: GPL-2.0
"""fuzz_kvm: "make fuzz-kvm", random programs of KVM's ioctls, guided by what they reach
in the kernel.

SECONDS says how long (600), CORPUS names the directory of programs that reached something
new (in the cache), REPLAY a file with one program as text, which is run instead.  HOST
says where, as for the suite; the box runs a kernel that looks for its own bugs.

The last line says how many programs ran, how much of the kernel they reached, and how many
findings there are.  The status is 1 if there are any.  What is known is none: see
lib/x86/tdx/fuzz_known.c.

libFuzzer is tdx/fuzz/engine.c; the programs run in x86/tdx_ioctl_fuzz."""

import functools
import os
import pathlib
import re
import select
import shlex
import shutil
import struct
import subprocess
import tempfile
import time

import cache
import process
import suite
from graph import TDX
from kernel_log import SPLAT, printable
from parts import parts

BOX = TDX / "box"
PROGRAM = "x86/tdx_ioctl_fuzz"
TDX_C = "arch/x86/kvm/vmx/tdx.c"

# The program's side of the pipes, see x86/tdx_ioctl_fuzz.c.
MAGIC = b"fuzz"
IS_TEXT = 1 << 31
MAX_TEXT = 1 << 16
BOOT_SECONDS = ANSWER_SECONDS = 300

MAX_BYTES = 24 * 14         # of a program, see include/x86/tdx/fuzz.h
INTERRUPTED = 72            # status of an engine that was asked to end

REDUCE_SECONDS = 300        # for one finding
MAX_FINDING = 1 << 16
LAST_LINES = 200            # of a log

# What is said of a program that ended the machine.
DIED = "DIED: the kernel did not survive this"

# A number, an address, a process's name: what differs from one time to the next.
VARIABLE = re.compile(r"\b0x[0-9a-f]+|\b[0-9a-f]{8,}\b|[0-9]+|Comm: \S+|CPU#\S+ \S+")

# After these the kernel does not see the same again, or is not what it was.
SPOILS = re.compile("lock|RCU|KASAN|BUG:|HANG|KEYIDS|CHARGE|Oops")


def die(message):
    process.die(message, "fuzz-kvm")


number = functools.partial(process.number, program="fuzz-kvm")


def directory(name, default):
    """Returns the directory that a variable names; it is made if it isn't there."""
    path = pathlib.Path(os.environ.get(name) or default).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        die(f"{name}={path}: {error.strerror}")
    if not os.access(path, os.W_OK):
        die(f"{name}={path}: no directory to write to")
    return path


def kind(text):
    """What a finding is, without what differs from one time to the next: the first line
    that says it."""
    for line in text.splitlines():
        if SPLAT.search(line) or re.match("[A-Z]{4,}:? ", line):
            line = re.sub(r"^\[[^]]*\] *", "", printable(line.encode(errors="replace")))
            return " ".join(VARIABLE.sub("N", line).split())
    return ""


class Target:
    """Where programs run: the command of a program of ours, in the box or on this
    machine."""

    def __init__(self, host, found, work):
        self.host, self.found, self.work = host, found, work
        self.program = found["tests"] / PROGRAM
        self.log = work / "log"

    def command(self, *arguments):
        if self.host == "native":
            return [self.program, *arguments]
        return [BOX, "run", "--kernel", self.found["fuzz"] / "vmlinux", "--memory", "4G",
                "--append", "kasan_multi_shot", "--log", self.log, "--", self.program,
                *arguments]

    def convert(self, option, data):
        """Bytes to text (--text), text to C (--c); on this machine."""
        done = subprocess.run([self.program, option], input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        lines = done.stdout.decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith("Random seed:"))


class Server:
    """tdx_ioctl_fuzz --serve, started again when the kernel did not survive a program."""

    def __init__(self, target):
        self.target = target
        self.child = None

    def read(self, size, seconds):
        data = b""
        deadline = time.monotonic() + seconds
        while len(data) < size:
            ready, _, _ = select.select([self.child.stdout], [], [],
                                        max(0, deadline - time.monotonic()))
            more = ready and os.read(self.child.stdout.fileno(), size - len(data))
            if not more:
                return None
            data += more
        return data

    def answer(self, seconds):
        """Returns what the program says, or None if it is gone."""
        window = b""
        while window != MAGIC:
            byte = self.read(1, seconds)
            if not byte:
                return None
            window = (window + byte)[-len(MAGIC):]
        header = self.read(8, seconds)
        if not header:
            return None
        pcs, text = struct.unpack("<II", header)
        if pcs > MAX_TEXT or text > MAX_TEXT or self.read(5 * pcs, seconds) is None and pcs:
            return None
        text = self.read(text, seconds) if text else b""
        return None if text is None else text.decode(errors="replace")

    def start(self):
        self.child = process.start(self.target.command("--serve"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self.answer(BOOT_SECONDS) is None:
            die("the program that takes the steps did not start")

    def stop(self):
        if self.child:
            process.end(self.child)
            self.child.stdin.close()
            self.child.stdout.close()
            self.child = None

    def try_out(self, steps):
        """Runs a program, a list of lines.  Returns what was found."""
        if not self.child:
            self.start()
        text = "".join(f"{step}\n" for step in steps).encode()
        try:
            self.child.stdin.write(struct.pack("<I", IS_TEXT | len(text)) + text)
            self.child.stdin.flush()
            found = self.answer(ANSWER_SECONDS)
        except BrokenPipeError:
            found = None
        if found is None:
            self.stop()
            return last_words(self.target.log)
        if SPOILS.search(found):
            self.stop()
        return found


def last_words(log):
    """What a kernel died of.  What it said long before was about other programs."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.path.getsize(log) - MAX_FINDING))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        lines = []
    splats = [line for line in lines[-LAST_LINES:] if SPLAT.search(line)]
    return "\n".join([DIED, *splats[:20]])


def first_step(steps):
    """The first step stands alone."""
    return [steps[0].removeprefix("& "), *steps[1:]] if steps else steps


def without_changes(step):
    """Returns the same step with one change less, in each way."""
    words = step.split()
    changes = [i for i, word in enumerate(words) if re.search("[=^+]", word)]
    return [" ".join(words[:i] + words[i + 1:]) for i in changes]


def reduce(steps, still_fails, deadline):
    """Returns a program with as few steps and changes as possible that still fails."""
    size = max(1, len(steps) // 2)
    while True:
        at = 0
        while at < len(steps) and time.monotonic() < deadline:
            fewer = first_step(steps[:at] + steps[at + size:])
            if fewer and still_fails(fewer):
                steps = fewer
            else:
                at += size
        if size == 1:
            break
        size //= 2
    for at in range(len(steps)):
        simpler = without_changes(steps[at])
        while simpler and time.monotonic() < deadline:
            step = simpler.pop(0)
            if still_fails(steps[:at] + [step] + steps[at + 1:]):
                steps = steps[:at] + [step] + steps[at + 1:]
                simpler = without_changes(step)
    return steps


class Finding:
    def __init__(self, path, target):
        """path is that of the program's bytes."""
        self.text = path.with_suffix(".text").read_text(errors="replace")[:MAX_FINDING]
        log = path.with_suffix(".log")
        if log.exists():
            self.text = last_words(log)
        said = [found for found in kinds(self.text) if found != DIED]
        self.kind = said[0] if said else self.text
        self.steps = target.convert("--text", path.read_bytes()[:MAX_BYTES]).splitlines()
        self.reduced = None

    def reduce(self, server):
        deadline = time.monotonic() + REDUCE_SECONDS

        def still_fails(steps):
            return bool(set(kinds(server.try_out(steps))) & set(kinds(self.text)))

        if self.steps and still_fails(self.steps):
            self.reduced = reduce(self.steps, still_fails, deadline)

    def report(self, number, target):
        steps = self.reduced or self.steps
        lines = [f"finding {number}:", *(f"    {printable(line.encode())}"
                                         for line in self.text.splitlines()[:20])]
        lines.append("  steps, for REPLAY=FILE:" if self.reduced else
                     "  steps, which did not show it again, for REPLAY=FILE:")
        lines += [f"    {step}" for step in steps]
        lines.append("  in C:")
        lines += ["    " + line for line in
                  target.convert("--c", "".join(f"{s}\n" for s in steps).encode()).splitlines()]
        return lines


def kinds(text):
    """The kinds of all that a text complains about, a kernel's death among them."""
    return [found for line in text.splitlines() if (found := kind(line))]


def lines_of(addresses, kernel):
    """Returns the lines of tdx.c that addresses, as text, belong to."""
    done = subprocess.run(["addr2line", "-e", kernel / "vmlinux"], text=True,
                          input="".join(f"{address}\n" for address in addresses),
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return {line.split(" ")[0] for line in done.stdout.splitlines() if TDX_C in line}


def call_sites(disassembly):
    """Returns the addresses behind the calls of KCOV, which are the PCs that it tells."""
    behind = False
    found = []
    for line in disassembly:
        if behind:
            found.append("0x" + line.partition(":")[0].strip())
        behind = line.rstrip().endswith("<__sanitizer_cov_trace_pc>") and "call" in line
    return found


def reached(pcs, kernel):
    """Returns in words what the PCs in a file are, of all that there are."""
    names = set(pcs.read_text().split()) if pcs.exists() else set()
    if not names:
        return "blind, as the kernel has no KCOV"
    if not kernel:
        return f"{len(names)} PCs of the kernel"
    with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", kernel / "vmlinux"],
                          stdout=subprocess.PIPE, text=True) as objdump:
        possible = call_sites(objdump.stdout)
    full = [f"0xffffffff{int(name, 16):08x}" for name in names]
    return (f"{len(names)} of {len(possible)} PCs in KVM, {len(lines_of(full, kernel))} of "
            f"{len(lines_of(possible, kernel))} lines of tdx.c with one")


def fuzz(target, engine, seconds, corpus):
    """Runs the engine.  Returns its directory of findings."""
    found = target.work / "found"
    found.mkdir()
    if not os.listdir(corpus):
        subprocess.run([target.program, "--seeds", corpus], check=True,
                       stdout=subprocess.DEVNULL)
    command = " ".join(shlex.quote(os.fspath(word)) for word in target.command("--serve"))
    errors = shlex.quote(os.fspath(found / "stderr"))
    environment = {**os.environ, "FUZZ_COMMAND": f"exec {command} 2>>{errors}",
                   "FUZZ_LOG": os.fspath(target.log), "FUZZ_DIR": os.fspath(found)}
    status = process.wait(process.start(
        [engine / "engine", f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}",
         "-len_control=0", "-print_final_stats=1", "-print_funcs=0", corpus], stdin=subprocess.DEVNULL, cwd=target.work,
        env=environment))
    if status not in (0, INTERRUPTED):
        die(f"the engine failed: status {status}")
    return found


def replay(target, path):
    if not path.is_file():
        die(f"REPLAY={path}: no such file")
    check = subprocess.run([target.program, "--c"], input=path.read_bytes(),
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if check.returncode:
        die(f"REPLAY={path}: {printable(check.stderr.splitlines()[-1])}")
    server = Server(target)
    found = server.try_out(path.read_text().splitlines())
    server.stop()
    for line in found.splitlines():
        print(printable(line.encode()))
    print("fuzz-kvm: " + ("found again" if found else "nothing found"))
    return int(bool(found))


def findings(target, found):
    """Returns a finding of each kind."""
    kinds_of = {}
    for path in sorted(found.glob("*.bytes"), key=lambda path: int(path.stem)):
        finding = Finding(path, target)
        kinds_of.setdefault(finding.kind, finding)
    return list(kinds_of.values())


def report(target, found):
    """Prints the findings, reduced.  Returns how many there are."""
    server = Server(target)
    unlike = findings(target, found)
    for number, finding in enumerate(unlike, 1):
        finding.reduce(server)
        print("\n".join(finding.report(number, target)), flush=True)
    server.stop()
    return len(unlike)


def main(_arguments):
    seconds = number("SECONDS", 600, 10 ** 7)
    host = suite.choose_host()
    names = ["tests", "fuzz-engine"] + (["fuzz", "qemu", "init"] if host == "box" else [])
    found = parts(names, [PROGRAM])
    with tempfile.TemporaryDirectory(prefix="tdx-fuzz.") as tmp:
        target = Target(host, found, pathlib.Path(tmp))
        if os.environ.get("REPLAY"):
            return replay(target, pathlib.Path(os.environ["REPLAY"]))
        corpus = directory("CORPUS", cache.directory() / "corpus")
        findings = fuzz(target, found["fuzz-engine"], seconds, corpus)
        number_found = report(target, findings)
        programs = findings / "programs"
        ran = int(programs.read_text()) if programs.exists() else 0
        print(f"fuzz-kvm: {ran} programs, {reached(findings / 'pcs', found.get('fuzz'))}, "
              f"{len(os.listdir(corpus))} programs in {corpus}, findings: {number_found}")
        return int(number_found > 0)
