# SPDX-License-Identifier: GPL-2.0
"""make cpuid-map: a page that shows, for each bit of a TD's CPUID, what decides about
it.  Where it is made, and on which module, is as for the suite: HOST and PROFILE."""

import os
import subprocess

import suite
from outcome import Failure
from parts import TOP, parts

TEST = "tdx_cpuid_map_test"


def main(_arguments):
    host = suite.choose_host()
    profile = os.environ.get("PROFILE")
    directory = TOP / "cpuid-map"
    try:
        tests = parts(["tests"], [f"x86/{TEST}"])["tests"]
        default = "native"
        if host == "box":
            default = (parts(["qemu"])["qemu"] / "profile.help").read_text().split()[0]
    except Failure:
        return 1
    page = directory / f"{profile or default}.html"
    directory.mkdir(exist_ok=True)
    command = [tests / "x86" / TEST, "--html", page]
    if host == "box":
        command = [suite.BOX, "run", "--out", directory,
                   *(["--profile", profile] if profile else []), "--", *command]
    status = subprocess.run(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL).returncode
    if status:
        raise SystemExit(f"cpuid-map: {TEST} failed, status {status}")
    print(page)
    return 0
