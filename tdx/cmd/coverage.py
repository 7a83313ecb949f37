# SPDX-License-Identifier: GPL-2.0
"""coverage [DIR]: "make coverage", the lines of KVM's TDX code that the suite
reaches, part of it a second time on a module with 5-level EPT, and the program
that makes SEAMCALLs fail, counted by the inner kernel's gcov.

DIR (coverage) gets the pages, index.html first.  Printed are the lines of tdx.c
that were not reached, by function, with the reason that tdx/unreached has for
them, and at the end the sum."""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

import debian
import process
import selftests
from build import build
from graph import TDX

TDX_C = "arch/x86/kvm/vmx/tdx.c"
VMX = "arch/x86/kvm/vmx"
OBJECTS = ["tdx", "main"]
MOST_BYTES = 4 << 20

# Runs inside: a command, then the counters to where they last.
INSIDE = """
out=$1
shift
"$@"
status=$?
for object in tdx main; do
	find /sys/kernel/debug/gcov -path "*/arch/x86/kvm/vmx/$object.gcda" \\
		-exec cp --no-preserve=all {} "$out/$object.gcda" \\;
done
exit $status
"""


def die(message):
    process.die(message, "coverage")


def ranges(lines):
    """[1, 2, 3, 7] -> "1-3, 7" """
    runs = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def read_reasons(text):
    """Returns the reasons for lines that are not reached, by function."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {function.strip(): reason.strip()
            for function, reason in (line.split(":", 1) for line in lines)}


def functions_of_lines(text):
    """Returns the function that each line of a C file is in, by number; gcov knows
    only those that were not inlined."""
    names = {}
    name = "?"
    for number, line in enumerate(text.splitlines(), 1):
        start = re.match(r"[a-z_].*?(\w+)\(", line)
        if start and not line.endswith(";"):
            name = start[1]
        names[number] = name
    return names


def report(data, source, reasons):
    """Returns the lines to print, of what gcovr found."""
    counted = next((f for f in data["files"] if f["file"].endswith(TDX_C)), None)
    if not counted:
        die(f"nothing was counted in {TDX_C}")
    lines = {line["line_number"]: line["count"] for line in counted["lines"]
             if not line.get("gcovr/noncode")}
    functions = functions_of_lines(source)
    missed = {}
    for number, count in sorted(lines.items()):
        if not count:
            missed.setdefault(functions[number], []).append(number)
    reached = sum(1 for count in lines.values() if count)
    return [f"{function}() {ranges(numbers)}: {reasons.get(function, 'NO REASON GIVEN')}"
            for function, numbers in missed.items()] + [
        f"{TDX_C}: {reached} of {len(lines)} lines "
        f"({100 * reached / max(len(lines), 1):.1f}%)"]


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


def count(kernel, directory, command, *options):
    """Runs a command on the kernel that counts.  Returns 1 if it failed.  The
    counts of a second run go beside another copy of what they refer to."""
    objects = directory / "objects" / VMX
    objects.mkdir(parents=True)
    given = directory / "given"     # by the program inside
    given.mkdir()
    run = process.start(
        [TDX / "box", "run", "--timeout", "900", "--out", given, *options,
         "--kernel", kernel / "vmlinux", "--",
         "sh", "-c", INSIDE, "-", given, *command],
        stdin=subprocess.DEVNULL)
    status = process.wait(run)
    for name in OBJECTS:
        gcno = (kernel / VMX / f"{name}.gcno").read_bytes()
        (objects / f"{name}.gcno").write_bytes(gcno)
        (objects / f"{name}.gcda").write_bytes(read_counters(given / f"{name}.gcda", gcno))
    shutil.rmtree(given, ignore_errors=True)
    return int(status != 0)


def main(arguments):
    out = pathlib.Path(arguments[0] if arguments else "coverage").absolute()
    out.mkdir(parents=True, exist_ok=True)
    try:
        names = selftests.choose_tests(os.environ.get("TESTS", "").split())
    except LookupError as error:
        die(error)
    debian.install(debian.CHECKERS)
    parts = build(["coverage", "tests", "runner", "programs", "linux", "qemu", "init"])
    kernel = parts["coverage"]
    runner = [parts["runner"] / "runner", parts["tests"]]
    plan = "+".join(
        line for line in (TDX / "module/inside/tdx_failures.plan").read_text().split("\n")
        if line and not line.startswith("#"))

    with tempfile.TemporaryDirectory(prefix="tdx-coverage.") as tmp:
        work = pathlib.Path(tmp)
        failed = count(kernel, work / "suite", [*runner, *names])
        failed += count(kernel, work / "failures", [parts["programs"] / "x86/tdx_failures"],
                        "--inject", plan)
        failed += count(kernel, work / "gpaw",
                        [*runner, "x86/tdx_init_vm_test", "x86/tdx_gpa_width_test"],
                        "--profile", "1.5.06,gpaw=52")
        counted = subprocess.run(
            ["gcovr", "--root", parts["linux"], "--filter", ".*/arch/x86/kvm/vmx/",
             "--json", work / "lines.json", "--html-details", out / "index.html",
             "--object-directory", work, work],
            stdout=subprocess.DEVNULL)
        if counted.returncode:
            die("gcovr failed")
        for line in report(json.loads((work / "lines.json").read_text()),
                           (parts["linux"] / TDX_C).read_text(),
                           read_reasons((TDX / "unreached").read_text())):
            print(line)
    if failed:
        die("not all tests passed")
