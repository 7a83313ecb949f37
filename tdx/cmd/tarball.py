# SPDX-License-Identifier: GPL-2.0
"""make tarball: the suite as the kernel's "make install" leaves it, in one file, for a
TDX host that has neither source nor compiler.  The programs need no library.  Beside the
kernel's run_kselftest.sh there is run_tdx_tests.sh, which runs several tests at a time
and writes reports.

Environment: TARBALL (tdx-selftests.tar.gz), KSRC, KERNEL, LLVM."""

import io
import os
import pathlib
import subprocess
import tarfile

import debian
from parts import TDX, TOP, parts
from process import die

NAME = "tdx-selftests"
COLLECTION = "kvm"
KERNELS_RUNNER = "module.sh runner.sh prefix.pl ktap_helpers.sh ksft.py".split()
DOCUMENT = TOP / "docs/tdx-host.md"


def version(linux):
    """Returns a line that tells which suite this is."""
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty", "--tags"], cwd=TOP,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False)
        commit = done.stdout.strip()
    except OSError:
        commit = ""
    return f"{commit or 'unknown'}, with the KVM selftests' library of Linux {linux}"


class Archive:
    """A tar file in which all is below one directory and belongs to root."""

    def __init__(self, path):
        self.tar = tarfile.open(path, "w:gz", compresslevel=6)

    def add(self, name, data, mode=0o644):
        member = tarfile.TarInfo(f"{NAME}/{name}")
        member.size = len(data)
        member.mode = mode
        member.uname = member.gname = "root"
        self.tar.addfile(member, io.BytesIO(data))

    def program(self, name, path):
        self.add(name, pathlib.Path(path).read_bytes(), 0o755)


def fill(archive, found):
    selftests = found["linux"] / "tools/testing/selftests"
    programs = sorted(path for path in (found["static-tests"] / "x86").glob("tdx_*")
                      if not path.suffix)
    tests = [path for path in programs if path.name.endswith("_test")]

    archive.add("VERSION", version(debian.linux_version(found["linux"])).encode() + b"\n")
    archive.add("README.md", DOCUMENT.read_bytes())
    archive.program("run_kselftest.sh", selftests / "run_kselftest.sh")
    for name in KERNELS_RUNNER:
        if (selftests / "kselftest" / name).exists():
            archive.program(f"kselftest/{name}", selftests / "kselftest" / name)
    archive.add("kselftest-list.txt", "".join(f"{COLLECTION}:{test.name}\n"
                                              for test in tests).encode())
    archive.add(f"{COLLECTION}/settings", (selftests / "kvm/settings").read_bytes())
    archive.program("run_tdx_tests.sh", TDX / "host/run_tdx_tests.sh")
    archive.program("runner", found["runner"] / "runner")
    for program in programs:
        archive.program(f"{COLLECTION}/{program.name}" if program in tests else program.name,
                        program)


def main(_arguments):
    path = os.environ.get("TARBALL") or f"{NAME}.tar.gz"
    found = parts(["linux", "static-tests", "runner"])
    temporary = f"{path}.new"
    try:
        archive = Archive(temporary)
        with archive.tar:
            fill(archive, found)
        os.replace(temporary, path)
    except OSError as error:
        die(f"{error.filename or path}: {error.strerror}")
    print(f"{path}: {os.path.getsize(path) >> 20} MB")
    return 0
