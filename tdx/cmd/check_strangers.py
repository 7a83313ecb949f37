# SPDX-License-Identifier: GPL-2.0
"""Other people's software in the box: a distribution's VMM, firmware, loaders and kernels,
as they are."""

import hashlib
import json
import os
import pathlib
import shutil
import tempfile

import boot
import measurements
import td_initrd
from parts import TDX, parts

BOX = TDX / "box"
SCRIPTS = TDX / "boot/test"
TIMEOUT = "900"     # seconds

REPORT_DATA = b"A" * 64     # what boot/test/attest asks for
EXTENDED_BY = b"B" * 48
QMP = "4444"            # a port
DATA_SIZE = 1 << 20


class Boot:
    """One run of "tdx/box boot"."""

    def __init__(self, part, *options):
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            child = part.start([BOX, "boot", "--timeout", TIMEOUT, *options],
                               stdout=output, stderr=errors)
            self.status = child.wait()
            self.output, self.errors = (self.read(stream) for stream in (output, errors))

    @staticmethod
    def read(stream):
        stream.seek(0)
        return stream.read().decode(errors="replace").replace("\r", "")

    def said(self):
        """For a test that failed.  The console has what no report wants to show as it is."""
        return "".join(c for c in self.errors[-4000:] + self.output[-1000:]
                       if c in "\n\t" or c.isprintable())

    def facts(self):
        """Returns what the TD's script has printed, by its first words."""
        return dict(line.split(None, 1) for line in self.output.splitlines()
                    if len(line.split(None, 1)) == 2)


def value(facts, name):
    """Returns a fact in hexadecimal as bytes, or none if it is not there or no such thing."""
    try:
        return bytes.fromhex(facts.get(name, ""))
    except ValueError:
        return b""


def registers(facts, prefix=""):
    return [value(facts, f"{prefix}rtmr{number}") for number in range(4)]


def check_report(part, text, facts, firmware, quote="quote", rtmrs=None):
    """Checks a TD's report against the firmware and the log of its events."""
    report = measurements.Report(value(facts, quote))
    part.result(f"strangers: {text}: the report is whole, and about what was asked",
                report.is_whole and report.data == REPORT_DATA, str(facts.get(quote)))
    part.result(f"strangers: {text}: MRTD is the firmware's", report.mrtd ==
                measurements.mrtd(firmware.read_bytes()), report.mrtd.hex())
    log = value(facts, "log")
    rtmrs = rtmrs or (measurements.rtmrs(log) if log else [])
    part.result(f"strangers: {text}: RTMRs are those of the event log",
                report.rtmrs == rtmrs and any(rtmrs[0]),
                "\n".join(one.hex() for one in [*report.rtmrs, *rtmrs]))
    return report


def check_newest(part, found):
    """The newest kernel, which can also extend RTMRs."""
    text = "a kernel of trixie-backports"
    run = Boot(part, "--quotes", "--script", SCRIPTS / "attest")
    facts = run.facts()
    part.result(f"strangers: {text}: the script's status", run.status == 7, run.said())
    release = td_initrd.release(found["linux-trixie-backports"])
    part.result(f"strangers: {text}: it is that kernel", facts.get("release") == release,
                run.said())
    firmware = boot.firmware(found, "ovmf")
    report = check_report(part, text, facts, firmware)
    part.result(f"strangers: {text}: the registers' files say the same",
                registers(facts) == report.rtmrs and value(facts, "mrtd") == report.mrtd,
                run.output)
    after = [*report.rtmrs[:3], measurements.extended(report.rtmrs[3], EXTENDED_BY)]
    part.result(f"strangers: {text}: RTMR3 extended",
                registers(facts, "new-") == after, run.output)
    check_report(part, f"{text}, extended", facts, firmware, "new-quote", after)


def check_stable(part, found):
    """The kernel of a distribution that is older than many of KVM's changes."""
    text = "trixie's kernel, two CPUs"
    run = Boot(part, "--quotes", "--kernel", "trixie", "--cpus", "2", "--script",
               SCRIPTS / "attest")
    facts = run.facts()
    part.result(f"strangers: {text}: the script's status", run.status == 0, run.said())
    part.result(f"strangers: {text}: it has them", facts.get("cpus") == "2" and
                facts.get("release") == td_initrd.release(found["linux-trixie"]), run.said())
    check_report(part, text, facts, boot.firmware(found, "ovmf"))


def make_disk(directory, found):
    """A disk whose loaders and kernel Debian has signed."""
    loaders = directory / "EFI/BOOT"
    loaders.mkdir(parents=True)
    shim = found["shim"] / "usr/lib"
    shutil.copy(shim / "shim/shimx64.efi.signed", loaders / "BOOTX64.EFI")
    shutil.copy(shim / "grub/x86_64-efi-signed/grubx64.efi.signed", loaders / "grubx64.efi")
    kernel = found["linux-trixie-backports"]
    shutil.copy(td_initrd.image(kernel), directory / "vmlinuz")
    script = (SCRIPTS / "attest").read_bytes()
    (directory / "initrd").write_bytes(
        td_initrd.initrd(kernel, found["busybox"], {"script": script}))
    (directory / "EFI/debian").mkdir()
    (directory / "EFI/debian/grub.cfg").write_text(
        "linux /vmlinuz console=ttyS0 panic=-1\ninitrd /initrd\nboot\nhalt\n")


def check_secure_boot(part, found):
    """Shim and GRUB from a disk.  There is only the console, with all that is printed there."""
    text = "Secure Boot from a disk"
    disk = pathlib.Path(part.directory, "secure-boot")
    make_disk(disk, found)
    run = Boot(part, "--quotes", "--firmware", "ovmf-inteltdx", "--disk", disk)
    facts = run.facts()
    # Four bytes of attributes come before the value.
    part.result(f"strangers: {text}: it is on", value(facts, "secureboot")[4:] == b"\1",
                run.said())
    part.result(f"strangers: {text}: the TD powers off", run.status == 0 and
                "tdx: status 7" in run.output, run.said())
    check_report(part, text, facts, boot.firmware(found, "ovmf-inteltdx"))
    (disk / "vmlinuz").write_bytes(b"MZ" + (disk / "vmlinuz").read_bytes()[2:-1] + b"X")
    run = Boot(part, "--firmware", "ovmf-inteltdx", "--disk", disk)
    part.result(f"strangers: {text}: it refuses a kernel that was changed",
                run.status == 0 and "bad shim signature" in run.output and
                "release" not in run.facts(), run.said())


def devices(out):
    """What takes more of the box's kernel than KVM."""
    for name in "io_uring", "native":
        (out / name).write_bytes(bytes(1 << 20))
    return ["-nic", "tap,ifname=tap0,script=no,downscript=no,model=virtio-net-pci,vhost=on",
            "-device", "vhost-vsock-pci,guest-cid=3", "-vnc", "127.0.0.1:1", "-sandbox", "on",
            *(word for name in ("io_uring", "native") for word in
              ("-drive", f"file={out / name},if=virtio,format=raw,cache=none,aio={name}"))]


def check_again(part):
    """Devices, and a TD that resets."""
    out = pathlib.Path(part.directory, "out")
    out.mkdir()
    data = os.urandom(DATA_SIZE)
    (out / "data").write_bytes(data)
    (out / "disk").write_bytes(bytes(1 << 20))
    run = Boot(part, "--out", out, "--disk", out / "disk", "--kernel", "trixie-backports",
               "--beside", f"'{SCRIPTS / 'qmp'}' {QMP} >'{out / 'qmp'}'",
               "--script", SCRIPTS / "again", "--",
               "-nic", f"user,model=virtio-net-pci,tftp={out}", "-action", "reboot=reset",
               "-qmp", f"tcp:127.0.0.1:{QMP},server=on,wait=off", *devices(out))
    facts = run.facts()
    part.result("strangers: a file comes by virtio-net as it is", facts.get("data", "").split()
                [:1] == [hashlib.sha256(data).hexdigest()], run.said())
    part.result("strangers: a TD resets, and finds on its disk what it wrote",
                facts.get("rebooted") == "yes" and run.status == 3 and
                (out / "disk").read_bytes().startswith(b"again\n"), run.said())
    answers = json.loads((out / "qmp").read_text() or "[]")
    part.result("strangers: QMP", len(answers) == 5 and
                answers[2].get("return") == {"enabled": True, "present": True} and
                answers[3]["return"]["running"] and len(answers[4]["return"]) == 1,
                run.said())


# In a TD a user's IN and OUT raise #VE, which Linux makes a signal of.
FAIL_IN_A_TD = {"ioperm_64", "iopl_64"}
OF_TDX = "tdx_guest_test"
SKIPPED = "4"


def statuses(output):
    return dict(line.split() for line in output.splitlines() if len(line.split()) == 2)


def check_selftests(part, found):
    """The kernel's own tests of x86 and of TDX guests: one that fails in a TD fails on the
    emulated CPU without one, too."""
    built = pathlib.Path(part.directory, "selftests")
    built.mkdir()
    tests = found["linux"] / "tools/testing/selftests"
    for name, *target in ("x86", "CAN_BUILD_I386=0", "all_64"), ("tdx",):
        part.ok(f"strangers: building the kernel's selftests, {name}", "make", "-C",
                tests / name, f"OUTPUT={built}", "EXTRA_CFLAGS=-static",
                f"KHDR_INCLUDES=-isystem {found['headers']}/include", *target)
    # What such a test does may look like a bug of the kernel's.
    _, output = part.run([BOX, "run", "--timeout", TIMEOUT, "--", SCRIPTS / "selftests", built])
    outside = statuses(output)
    run = Boot(part, "--disk", built, "--kernel", "trixie-backports", "--script",
               SCRIPTS / "selftests")
    inside = statuses(run.output)
    names = sorted(os.listdir(built))
    part.result("strangers: the kernel's selftests run in a TD", run.status == 0 and
                sorted(inside) == names and OF_TDX in names, run.said())
    for name in names:
        status = inside.get(name)
        # The box's own kernel has less in it, so some fail only there.
        ok = status == "0" or name != OF_TDX and (
            status == SKIPPED or status == outside.get(name) or name in FAIL_IN_A_TD)
        told = [line for line in run.errors.splitlines() if line.startswith(f"{name}: ")]
        part.result(f"strangers: {name}, status {status}", ok,
                    "\n".join(told) or run.said())


def check_strangers(part):
    found = parts(["linux", "headers", "qemu-system-x86", "ovmf", "ovmf-inteltdx", "shim",
                   "busybox", "linux-trixie", "linux-trixie-backports"])
    check_newest(part, found)
    check_stable(part, found)
    check_secure_boot(part, found)
    check_again(part)
    check_selftests(part, found)
    return part.plan()
