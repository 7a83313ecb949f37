# SPDX-License-Identifier: GPL-2.0
"""tdx/box boot: its options, the initramfs of a TD, and measurements."""

import hashlib
import lzma
import os
import struct
import uuid

from support import CacheTest, Refusals

import boot
import measurements
import td_initrd
from outcome import Failure


class BootTest(CacheTest):
    def setUp(self):
        super().setUp()
        self.file = str(self.dir / "file")
        with open(self.file, "w") as file:
            file.write("text")

    def td(self, *arguments, terminal=False):
        """Returns the command line for the box as words, and the TD."""
        options, _ = boot.parse(list(arguments))
        found = {name: self.dir / name for name in boot.needed(options)}
        for name in found:
            (self.dir / name / "usr/lib/modules/1.2").mkdir(parents=True, exist_ok=True)
        td = boot.Td(options, found, terminal)
        return [os.fspath(word) for word in td.command(None)], td

    def after(self, command, option):
        return command[command.index(option) + 1]


class Options(Refusals, BootTest):
    parse = staticmethod(boot.parse)

    def test_nonsense(self):
        self.refused("unknown option: --plain", "--plain")
        self.refused("--disk wants a value", "--disk")
        for option in "--vmm", "--firmware", "--kernel", "--initrd", "--disk", "--script":
            self.refused(f"{option}: no such file: nothing", option, "nothing")
        self.refused("trixie, trixie-backports are there", "--kernel", "nothing")
        self.refused("--vmm: not a program", "--vmm", self.file)
        self.refused("--cpus: 99 is not between", "--cpus", "99")
        self.refused("--memory: not a size", "--memory", "1T")
        self.refused("--timeout: not a number", "--timeout", "x")

    def test_what_does_not_go_together(self):
        self.refused("--append: the disk's", "--disk", self.file, "--append", "x")
        self.refused("--initrd: the disk's", "--disk", self.file, "--initrd", self.file)
        self.refused("--script: a disk or", "--disk", self.file, "--script", self.file)
        self.refused("--script: a disk or", "--kernel", "trixie", "--initrd", self.file,
                     "--script", self.file)
        self.refused("--script: a disk or", "--kernel", self.file, "--disk", self.file,
                     "--script", self.file)

    def test_the_box_is_larger_than_the_td(self):
        _, box = boot.parse(["--memory", "3G", "--cpus", "2", "--timeout", "9", "--trace"])
        self.assertEqual((box.memory, box.cpus, box.timeout, box.trace),
                         (3072 + boot.BOX_MEMORY, 4, 9, True))

    def test_parts(self):
        def needed(*arguments):
            return boot.needed(boot.parse(list(arguments))[0])

        self.assertEqual(needed(), ["qemu-system-x86", "ovmf", "linux-trixie-backports", "busybox"])
        self.assertEqual(needed("--kernel", "trixie", "--firmware", "ovmf-inteltdx"),
                         ["qemu-system-x86", "ovmf-inteltdx", "linux-trixie", "busybox"])
        self.assertEqual(needed("--disk", self.file), ["qemu-system-x86", "ovmf"])
        self.assertEqual(needed("--kernel", self.file), ["qemu-system-x86", "ovmf", "busybox"])
        self.assertEqual(needed("--kernel", self.file, "--initrd", self.file, "--firmware",
                                self.file), ["qemu-system-x86"])


class Command(BootTest):
    def test_shell(self):
        command, _ = self.td(terminal=True)
        self.assertEqual(command[1:4], ["", "shell", boot.STATUS])
        self.assertEqual(self.after(command, "-append"), "console=ttyS0 panic=-1")
        self.assertEqual(self.after(command, "-initrd"), f"{boot.GIVEN}/initrd")
        self.assertIn("chardev=console", command)

    def test_script(self):
        command, _ = self.td("--script", self.file, "--append", "quiet", "--beside", "a b")
        self.assertEqual(command[1:3], ["a b", "script"])
        self.assertEqual(self.after(command, "-append"), "console=ttyS0 panic=-1 quiet")
        self.assertIn("file,id=stdout,path=/dev/fd/1", command)

    def test_disk(self):
        command, td = self.td("--disk", self.file)
        self.assertEqual(command[2], "")
        self.assertNotIn("-kernel", command)
        self.assertIn("format=raw", self.after(command, "-drive"))
        self.assertIn("snapshot=on", self.after(command, "-drive"))
        self.assertIn("snapshot=off", td.disk(os.path.realpath(self.dir))[1])
        with open(self.file, "wb") as file:
            file.write(boot.QCOW2)
        self.assertIn("format=qcow2", self.td("--disk", self.file)[0][-5])
        command, _ = self.td("--disk", str(self.dir))
        self.assertIn("driver=vvfat", self.after(command, "-drive"))

    def test_options_of_qemus_come_last(self):
        command, _ = self.td("--", "-smp", "3")
        self.assertEqual(command[-2:], ["-smp", "3"])
        self.assertIn('{"qom-type": "tdx-guest", "id": "tdx"}', command)
        command, _ = self.td("--", "-object", "tdx-guest,id=mine")
        self.assertEqual(self.after(command, "-object"), "tdx-guest,id=mine")

    def test_beside(self):
        self.assertEqual(self.td()[0][1], "")
        self.assertEqual(self.td("--beside", "a; b")[0][1], "a; b")
        command, _ = self.td("--beside", "a", "--quotes")
        self.assertRegex(command[1], "/boot/quotes /dev/shm/td-quotes & a$")
        self.assertIn("quote-generation-socket", self.after(command, "-object"))

    def test_kernel_of_the_users(self):
        command, td = self.td("--kernel", self.file)
        self.assertEqual(self.after(command, "-kernel"), self.file)
        self.assertEqual(command[2], "shell")
        command, td = self.td("--kernel", self.file, "--initrd", self.file)
        self.assertEqual((command[2], td.files(b"")), ("", {}))


class Initrd(BootTest):
    def module(self, name, depends="", aliases=()):
        path = self.dir / f"kernel/usr/lib/modules/1.2/{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = b"ELF\0depends=%b\0" % depends.encode()
        data += b"".join(b"alias=%b\0" % alias.encode() for alias in aliases)
        path.write_bytes(lzma.compress(data) if name.endswith(".xz") else data)

    def test_modules(self):
        self.module("a-b.ko.xz", "c,d")
        self.module("c.ko", "d", ["virtio:1"])
        self.module("d.ko.xz")
        self.module("unwanted.ko")
        modules = td_initrd.Modules(self.dir / "kernel", ["built_in", "a_b"])
        self.assertEqual(list(modules.data), ["a_b", "c", "d"])
        files = {name: data for name, _, data, _ in modules.members("1.2")}
        self.assertEqual(files["lib/modules/1.2/modules.dep"],
                         b"a_b.ko: c.ko d.ko\nc.ko: d.ko\nd.ko: \n")
        self.assertEqual(files["lib/modules/1.2/modules.alias"], b"alias virtio:1 c\n")

    def test_image(self):
        self.module("a.ko")
        kernel = self.dir / "kernel"
        self.assertEqual(td_initrd.image(kernel), kernel / "usr/lib/modules/1.2/vmlinuz")
        (kernel / "boot").mkdir()
        (kernel / "boot/vmlinuz-1.2").write_text("")
        self.assertEqual(td_initrd.image(kernel), kernel / "boot/vmlinuz-1.2")
        (kernel / "usr/lib/modules/1.3").mkdir()
        with self.assertRaisesRegex(Failure, "2 kernels"):
            td_initrd.image(kernel)


class Measurements(CacheTest):
    def firmware(self, sections):
        """A firmware of a page with these sections, as struct's arguments."""
        table = struct.pack("<4sIII", b"TDVF", 0, 1, len(sections))
        table += b"".join(struct.pack("<IIQQII", *section) for section in sections)
        metadata = struct.pack("<IH16s", 0x800, 22, measurements.TDX_METADATA.bytes_le)
        other = struct.pack("<BH16s", 0, 19, uuid.UUID(int=1).bytes_le)
        footer = struct.pack("<H16s", len(metadata) + len(other) + 18,
                             measurements.TABLE_FOOTER.bytes_le)
        end = metadata + other + footer + bytes(32)
        return bytes(0x800) + table.ljust(0x800 - len(end), b"\0") + end

    def test_mrtd(self):
        firmware = self.firmware([(0, 0x1000, 0xff000, 0x1000, 0, 1), (0, 0, 0x800, 0x1000, 2, 0),
                                  (0, 0, 0x9000, 0x1000, 3, 2)])
        expected = hashlib.sha384(b"MEM.PAGE.ADD\0\0\0\0" + struct.pack("<Q", 0xff000) + bytes(104))
        for at in range(0, 0x1000, 256):
            expected.update(b"MR.EXTEND".ljust(16, b"\0") + struct.pack("<Q", 0xff000 + at) +
                            bytes(104) + firmware[at:at + 256])
        expected.update(b"MEM.PAGE.ADD\0\0\0\0" + struct.pack("<Q", 0x800) + bytes(104))
        self.assertEqual(measurements.mrtd(firmware), expected.digest())

    def test_firmware_that_is_not_for_tds(self):
        good = self.firmware([(0, 0x1000, 0xff000, 0x1000, 0, 1)])
        for text, firmware in (
                ("ends too early", b""), ("no table", bytes(4096)),
                ("no metadata", good.replace(measurements.TDX_METADATA.bytes_le, bytes(16))),
                ("no such thing", good.replace(b"TDVF", b"xxxx")),
                ("makes no sense", good[:-68] + bytes(2) + good[-66:])):
            with self.assertRaisesRegex(measurements.Malformed, text):
                measurements.mrtd(firmware)
        measurements.mrtd(good)

    def test_file_that_is_no_log(self):
        for text, log in ("ends too early", b""), ("no log", bytes(100)):
            with self.assertRaisesRegex(measurements.Malformed, text):
                measurements.rtmrs(log)

    def test_rtmrs(self):
        def event(register, kind, digest, data):
            return struct.pack("<IIIH", register, kind, 1, measurements.SHA384) + digest + \
                struct.pack("<I", len(data)) + data

        one, two = b"1" * 48, b"2" * 48
        log = struct.pack("<II", 0, measurements.NO_ACTION) + bytes(20) + struct.pack("<I", 5) + b"first" + event(1, 4, one, b"x") + \
            event(1, measurements.NO_ACTION, two, b"") + \
            event(3, 6, two, b"yy") + b"\xff" * 64
        self.assertEqual(len(list(measurements.events(log))), 3)
        zero = bytes(48)
        self.assertEqual(measurements.rtmrs(log), [
            hashlib.sha384(zero + one).digest(), zero, hashlib.sha384(zero + two).digest(), zero])
