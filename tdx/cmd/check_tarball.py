# SPDX-License-Identifier: GPL-2.0
"""The part "tarball" of "make check"."""

import os
import pathlib
import re
import tarfile

import kernel_log
import ktap
from parts import TDX, TOP, parts

BOX = TDX / "box"

# Inside.  Unpacks the tarball in an empty directory, hides the suite's source and what was
# built, and runs a script where the tarball is.  The kernel's configuration is where
# distributions have it.
UNPACKED = """
set -e
tarball=$1 script=$2 config=$3
mkdir -p /boot
cp "$config" "/boot/config-$(uname -r)"
mkdir /tmp/host
cd /tmp/host
tar -xzf "$tarball"
shift 3
for hidden; do
	mount -t tmpfs none "$hidden"
done
cd *
eval "$script"
"""

# Two tests of which the second fails, by either runner.
ONE_FAILS = """
printf '#!/bin/sh\\necho 1..2\\necho ok 1 a\\necho not ok 2 b\\nexit 1\\n' >kvm/tdx_fails_test
chmod +x kvm/tdx_fails_test
echo kvm:tdx_fails_test >>kselftest-list.txt
"""
TWO = "tdx_report_fatal_error_test tdx_fails_test"

# What a report has to tell, as regular expressions.
REPORT = [
    r"^TDX selftests, \S+, with the KVM selftests' library of Linux [0-9.]+",
    r"^Linux [0-9.]+", r"^CONFIG_KVM_INTEL_TDX=y", r"^vendor_id\s*: GenuineIntel",
    r"^microcode\s*: 0x", r"virt/tdx: Module version: [0-9.]+", r"^TAP version 13",
    r"^# Totals: pass:", r"kselftest: expects: WARNING: ", r"WARNING: at vt_", r"===== profile ====="]

# Cases that may harm the host, by test and name; and their result where they may.  Some
# need luck to meet their bug, others harm the host without one.
HARMFUL = [
    ("tdx_gpa_width_test", "beyond_width.deleting_memslot_keeps_other_page", ["xfail"]),
    ("tdx_host_nmi_test", "host_nmi.while_guest_runs", ["pass"]),
    ("tdx_limits_test", "cgroup.limit", ["xfail"]),
    ("tdx_memory_race_test", "building.punch_hole_elsewhere_and_measure", ["xfail", "pass"]),
    ("tdx_parallel_test", "race.finalize_and_punch_hole.is_serializable", ["xfail", "pass"]),
    ("tdx_poisoned_page_test", "poisoned_page.mapped", ["pass"]),
    ("tdx_vmx_state_test", "vmx_state.smm_refused", ["xfail"]),
    ("tdx_vmx_state_test", "vmx_state.set_empty_nested_state_refused", ["xfail"]),
]


def run_unpacked(part, tarball, script, *options):
    """Returns the status and the output of a script in the box that has the tarball."""
    found = parts(["static-tests", "kernel"])
    hidden = TOP, found["static-tests"].parent.parent
    return part.run([BOX, "run", "--timeout", "900", *options, "--", "sh", "-c", UNPACKED, "-",
                     tarball, script, found["kernel"] / ".config", *hidden],
                    env={**os.environ, "TDX_MAY_HARM_HOST": "0"})


def dynamic_programs(tarball):
    """Returns the names of the programs in the tarball that want a loader."""
    with tarfile.open(tarball) as tar:
        programs = [member for member in tar if member.isfile() and member.mode & 0o100]
        return [program.name for program in programs
                if b"/ld-linux" in tar.extractfile(program).read(4096)]


def check_report(part, directory):
    reports = list(pathlib.Path(directory).iterdir())
    text = reports[0].read_text(errors="replace") if len(reports) == 1 else ""
    missing = [pattern for pattern in REPORT if not re.search(pattern, text, re.M)]
    part.result("tarball: the report has it all", not missing, "\n".join(missing))


def check_unpacked(part, tarball):
    reports = f"{part.directory}/reports"
    os.mkdir(reports)
    status, output = run_unpacked(part, tarball, f"./run_tdx_tests.sh --report '{reports}'",
                                  "--out", reports)
    cases = ktap.read(output.splitlines())
    part.result("tarball: the suite passes",
                not status and not cases.failures() and cases.results == cases.planned and
                len(cases.of("pass")) > len(cases.of("skip")),
                "\n".join([f"status {status}", *ktap.summary(cases)]))
    check_report(part, reports)

    for name, script in (
            ("run_tdx_tests.sh", f"./run_tdx_tests.sh {TWO}"),
            ("run_kselftest.sh", "./run_kselftest.sh" +
             "".join(f" -t kvm:{test}" for test in TWO.split()))):
        status, output = run_unpacked(part, tarball, ONE_FAILS + script)
        cases = ktap.read(output.splitlines())
        failed = [str(case) for case in cases.failures()]
        part.result(f"tarball: {name} tells what fails",
                    status == 1 and failed == ["tdx_fails_test b"] and
                    cases.planned == cases.results == 2 and cases.of("pass"), output)
        status, output = run_unpacked(part, tarball, f"./{name}", "--profile", "none")
        cases = ktap.read(output.splitlines())
        part.result(f"tarball: {name} skips without TDX",
                    not status and cases.results == cases.planned == len(cases.of("skip")),
                    output)


def gates():
    """The test of each gate for such a case."""
    return sorted(path.stem for path in (TOP / "x86").glob("*.c")
                  for _ in re.findall(r"SKIP_UNLESS_MAY_HARM_HOST\(", path.read_text()))


def check_harm(part, test, case, allowed_results):
    """The gate works both ways, and the kernel has nothing to say where it is shut."""
    program = parts(["tests"])["tests"] / "x86" / test
    log = f"{part.directory}/log"
    for allowed in "0", "1":
        status, output = part.run(
            [BOX, "run", "--timeout", "120", "--log", log, "--", program, "-r", case],
            env={**os.environ, "TDX_MAY_HARM_HOST": allowed, "TDX_RACES": "1"})
        results = [case.result for case in ktap.read(output.splitlines()).cases]
        with open(log, errors="replace") as lines:
            said = [line for line in lines if kernel_log.SPLAT.search(line) or
                    kernel_log.MAY_HARM in line]
        announced = any(kernel_log.MAY_HARM in line for line in said)
        if allowed == "0":
            ok = results == ["skip"] and not said
        else:
            ok = announced and len(results) == 1 and results[0] in allowed_results
        part.result(f"tarball: {case} {'runs' if announced else 'skips'} with "
                    f"TDX_MAY_HARM_HOST={allowed}", ok and not status, output + "".join(said))


def check_tarball(part):
    tarball = f"{part.directory}/suite.tar.gz"
    if part.ok("tarball: make tarball", "make", "tarball", env={**os.environ, "TARBALL": tarball}):
        dynamic = dynamic_programs(tarball)
        part.result("tarball: no program needs a library", not dynamic, "\n".join(dynamic))
        check_unpacked(part, tarball)
    part.result("tarball: each case that may harm the host is tried",
                gates() == sorted(test for test, _, _ in HARMFUL))
    for harmful in HARMFUL:
        check_harm(part, *harmful)
    return part.plan()
