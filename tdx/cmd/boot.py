# SPDX-License-Identifier: GPL-2.0
"""tdx/box boot: a distribution's kernel as a TD, with a distribution's VMM and firmware or
with the user's own."""

import json
import os
import shlex

import options as box_options
from outcome import Failure
from parts import TDX

# What the command finds in the box.
GIVEN = "/dev/tdx-box"
STATUS = "/dev/shm/td-status"
QUOTES = "/dev/shm/td-quotes"

# The configuration of the box's kernel, if nothing else is said.
HOST_KERNEL = ["--config", "vmm"]

BOX_MEMORY = 1536       # megabytes, beside the TD's
MAX_TD_CPUS = 16

KERNELS = {"trixie": "linux-trixie", "trixie-backports": "linux-trixie-backports"}
DEFAULT_KERNEL = "trixie-backports"
# By the names of their parts.
FIRMWARE = {"ovmf": "usr/share/ovmf/OVMF.fd",
            "ovmf-inteltdx": "usr/share/ovmf/OVMF.inteltdx.ms.fd"}
DEFAULT_FIRMWARE = "ovmf"

VALUES = {"--vmm", "--firmware", "--kernel", "--initrd", "--disk", "--append", "--script",
          "--beside", "--cpus", "--memory"}
FLAGS = {"--quotes"}
# Of "run", they are the box's.
BOX_VALUES = {"--timeout", "--out", "--config", "--profile", "--inject", "--log"}
BOX_FLAGS = {"--trace"}

QCOW2 = b"QFI\xfb"


class Options:
    def __init__(self):
        self.vmm = None         # a path, as the others are; None for the distribution's
        self.firmware = None
        self.kernel = None
        self.initrd = None
        self.disk = None
        self.script = None
        self.beside = ""        # a command for the box's shell
        self.quotes = False     # whether there is a quote service
        self.kernel_part = KERNELS[DEFAULT_KERNEL]      # None without one of Debian's
        self.our_init = True    # whether the TD runs our init, which reports a status
        self.firmware_part = DEFAULT_FIRMWARE
        self.append = ""
        self.cpus = 1
        self.memory = 512       # megabytes
        self.vmm_options = []   # the user's


def file(option, text):
    if not os.path.isfile(text) or not os.access(text, os.R_OK):
        raise Failure(f"{option}: no such file: {text}")
    return os.path.abspath(text)


def disk(text):
    """An image, or a directory that becomes a disk with its files."""
    if os.path.isdir(text):
        return os.path.abspath(text)
    return file("--disk", text)


def named(option, text, names):
    """Returns what a name stands for, or None if the text is a file's path."""
    if text in names:
        return names[text]
    if not os.path.isfile(text):
        raise Failure(f"{option}: no such file: {text} ({', '.join(sorted(names))} are there "
                      "without one)")
    return None


def take_kernel(options, given):
    """The kernel, and what it starts."""
    if "--kernel" in given:
        options.kernel_part = named("--kernel", given["--kernel"], KERNELS)
        if not options.kernel_part:
            options.kernel = file("--kernel", given["--kernel"])
    elif options.disk:
        options.kernel_part = None
    loaded = bool(options.kernel or options.kernel_part)
    if "--initrd" in given:
        options.initrd = file("--initrd", given["--initrd"])
        if not loaded:
            raise Failure("--initrd: the disk's own loader has one; --kernel takes another")
    # A kernel of the user's own with a disk has its init there.
    options.our_init = loaded and not options.initrd and bool(
        options.kernel_part or not options.disk)
    if "--script" in given:
        options.script = file("--script", given["--script"])
        if not options.our_init:
            raise Failure("--script: a disk or an initrd of your own has its own init")
    options.append = given.get("--append", "")
    if options.append and not loaded:
        raise Failure("--append: the disk's own loader has the kernel's command line")


def take(given):
    options = Options()
    if "--vmm" in given:
        options.vmm = file("--vmm", given["--vmm"])
        if not os.access(options.vmm, os.X_OK):
            raise Failure(f"--vmm: not a program: {given['--vmm']}")
    if "--firmware" in given:
        if named("--firmware", given["--firmware"], FIRMWARE):
            options.firmware_part = given["--firmware"]
        else:
            options.firmware = file("--firmware", given["--firmware"])
    if "--disk" in given:
        options.disk = disk(given["--disk"])
    options.beside = given.get("--beside", "")
    options.quotes = "--quotes" in given
    take_kernel(options, given)
    if "--cpus" in given:
        options.cpus = box_options.number("--cpus", given["--cpus"], MAX_TD_CPUS)
    if "--memory" in given:
        options.memory = box_options.megabytes(given["--memory"])
    return options


def parse(arguments):
    """Returns the TD's options and those of the box that it runs in."""
    own, for_box = {}, []
    at = 0
    while at < len(arguments) and arguments[at] != "--":
        option = arguments[at]
        at += 1
        if option in BOX_FLAGS:
            for_box.append(option)
            continue
        if option in FLAGS:
            own[option] = True
            continue
        if option not in VALUES | BOX_VALUES:
            raise Failure(f"unknown option: {option} (see tdx/box help)")
        if at == len(arguments):
            raise Failure(f"{option} wants a value")
        if option in BOX_VALUES:
            for_box += [option, arguments[at]]
        else:
            own[option] = arguments[at]
        at += 1
    options = take(own)
    options.vmm_options = arguments[at + 1:]
    box, _ = box_options.parse(
        [*HOST_KERNEL, *for_box, "--memory", f"{options.memory + BOX_MEMORY}M", "--", "vmm"])
    return options, box


def needed(options):
    """Returns the names of the parts that the TD is made of."""
    names = []
    if not options.vmm:
        names.append("qemu-system-x86")
    if not options.firmware:
        names.append(options.firmware_part)
    if options.kernel_part:
        names.append(options.kernel_part)
    if options.our_init:
        names.append("busybox")
    return names


def firmware(found, name):
    """Returns the path of Debian's firmware of that name."""
    return found[name] / FIRMWARE[name]


def disk_format(path):
    with open(path, "rb") as disk:
        return "qcow2" if disk.read(len(QCOW2)) == QCOW2 else "raw"


class Td:
    """A TD to be, as a command for the box and the files that it takes there."""

    def __init__(self, options, found, terminal):
        self.options = options
        self.found = found
        self.terminal = terminal

    def program(self):
        """Debian's QEMU brings its libraries, this machine's may be too old."""
        if self.options.vmm:
            return [self.options.vmm]
        root = self.found["qemu-system-x86"]
        return [root / "usr/lib64/ld-linux-x86-64.so.2",
                "--library-path", root / "usr/lib/x86_64-linux-gnu",
                root / "usr/bin/qemu-system-x86_64", "-L", root / "usr/share/qemu",
                "-L", root / "usr/share/seabios"]

    def firmware(self):
        if self.options.firmware:
            return self.options.firmware
        return firmware(self.found, self.options.firmware_part)

    def machine(self):
        options = self.options
        machine = "q35,kernel-irqchip=split"
        # QEMU takes only one, which may be the user's.
        if any("tdx-guest" in word for word in options.vmm_options):
            guest = []
        else:
            machine += ",confidential-guest-support=tdx"
            guest = ["-object", json.dumps(self.guest())]
        return ["-accel", "kvm", "-machine", machine, *guest, "-cpu", "host,enforce",
                "-smp", str(options.cpus), "-m", f"{options.memory}M", "-nodefaults",
                "-no-user-config", "-display", "none", "-vga", "none", "-no-reboot",
                "-bios", self.firmware()]

    def guest(self):
        """QEMU's object that makes a TD of a VM."""
        guest = {"qom-type": "tdx-guest", "id": "tdx"}
        if self.options.quotes:
            guest["quote-generation-socket"] = {"type": "unix", "path": QUOTES}
        return guest

    def beside(self):
        """What runs beside the VMM, as a shell's command."""
        quotes = f"{shlex.quote(str(TDX / 'boot/quotes'))} {QUOTES} & "
        return (quotes if self.options.quotes else "") + self.options.beside

    def kernel(self):
        import td_initrd

        options = self.options
        if not options.kernel and not options.kernel_part:
            return []
        image = options.kernel or td_initrd.image(self.found[options.kernel_part])
        arguments = ["-kernel", image,
                     "-append", f"console=ttyS0 panic=-1 {options.append}".rstrip()]
        if options.initrd:
            arguments += ["-initrd", options.initrd]
        elif options.our_init:
            arguments += ["-initrd", f"{GIVEN}/initrd"]
        return arguments

    def disk(self, out):
        """What is written to the disk lasts only where the box may write."""
        from machine import quote

        path = self.options.disk
        if not path:
            return []
        if os.path.isdir(path):
            return ["-drive", f"driver=vvfat,dir={quote(path)},if=virtio,read-only=on"]
        lasts = out and os.path.realpath(path).startswith(out + "/")
        return ["-drive", f"file={quote(path)},if=virtio,format={disk_format(path)},"
                          f"snapshot={'off' if lasts else 'on'}"]

    def port(self, name, path):
        return ["-chardev", f"file,id={name},path={path}",
                "-device", f"virtserialport,chardev={name},name=tdx.{name}"]

    def streams(self):
        """A script's output is the command's; a shell is on the console."""
        arguments = ["-chardev", "stdio,id=console,signal=off" +
                     (",mux=on" if self.terminal else "")]
        if self.options.script:
            arguments = ["-chardev", "file,id=console,path=/dev/fd/2"]
        arguments += ["-serial", "chardev:console"]
        if self.terminal:
            arguments += ["-mon", "chardev=console"]
        if not self.options.our_init:
            return arguments
        arguments += ["-device", "virtio-serial-pci", *self.port("status", STATUS)]
        if self.options.script:
            arguments += [*self.port("stdout", "/dev/fd/1"), *self.port("stderr", "/dev/fd/2")]
        return arguments

    def command(self, out):
        """Returns the command that the box runs."""
        what = ""
        if self.options.our_init:
            what = "script" if self.options.script else "shell"
        return [TDX / "boot/vmm", self.beside(), what, STATUS,
                *self.program(), *self.machine(), *self.kernel(), *self.disk(out),
                *self.streams(), *self.options.vmm_options]

    def files(self, size):
        """Returns what the box gives the command, as bytes by name."""
        import td_initrd

        if not self.options.our_init:
            return {}
        files = {"size": size}
        if self.options.script:
            with open(self.options.script, "rb") as script:
                files["script"] = script.read()
        return {"initrd": td_initrd.initrd(self.found.get(self.options.kernel_part),
                                           self.found["busybox"], files)}
