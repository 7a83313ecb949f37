# SPDX-License-Identifier: GPL-2.0
"""The parts that are QEMU: its source, the box's with the TDX module in it, and
the same QEMU as it comes, to compare with."""

import os
import pathlib
import shutil
import subprocess
import sys

import cache
import debian
from files import mirror, relevant
from graph import TDX, Part, compiler
from kernel import MACHINE, PLAIN_CC
from process import Step, die, say

CONFIGURE = """--target-list=x86_64-softmmu --without-default-features
	--without-default-devices --with-devices-x86_64=tdx --enable-tcg
	--enable-fdt=system --enable-attr --enable-virtfs
	--enable-trace-backends=nop --disable-debug-info --disable-docs
	--disable-install-blobs --disable-download --disable-qom-cast-debug""".split()
BINARY = "qemu-system-x86_64"
DEVICES = "configs/devices/x86_64-softmmu/tdx.mak"
FIRMWARE = "bios-microvm.bin qboot.rom linuxboot_dma.bin pvh.bin kvmvapic.bin".split()
FIRMWARE_PLACES = "qemu seabios qemu-firmware".split()

# Where QEMU is changed.  These are copied afresh each time, so that what is
# inserted goes into a pristine source; the rest of the tree is copied once.
CHANGED = "VERSION accel configs hw/9pfs hw/i386 include pc-bios/meson.build target/i386".split()


def suite():
    """Returns the Debian suite that QEMU is taken from."""
    chosen = os.environ.get("QEMU") or debian.DEFAULT_QEMU_SUITE
    if chosen not in debian.QEMU_SUITES:
        names = list(debian.QEMU_SUITES)
        die(f"QEMU={chosen}: {', '.join(names[:-1])} or {names[-1]}, or QEMU_SRC=DIR")
    return chosen


def version(tree):
    return (tree / "VERSION").read_text().strip()


class QemuSource(Part):
    """QEMU's pristine source."""

    name = "qemu-source"

    def find(self, needs):
        own = os.environ.get("QEMU_SRC")
        if own:
            tree = pathlib.Path(os.path.realpath(own))
            if not (tree / "VERSION").is_file() or not (tree / "target/i386/cpu.h").is_file():
                die(f"QEMU_SRC={own}: no QEMU source")
            return tree
        found = cache.find(f"src/qemu-{suite()}")
        return found / "tree" if found else None

    def build(self, needs, get):
        found = self.find(needs)
        if found:
            return found
        debian.install()
        return debian.qemu_source(suite()) / "tree"


class QemuTools(Part):
    """Meson and firmware, in usr/."""

    name = "qemu-tools"

    def find(self, needs):
        return None

    def build(self, needs, get):
        return debian.tools(suite()) if debian.codename() else pathlib.Path("/")


class QemuPart(Part):
    needs = ["qemu-source"]
    uses = ["qemu-tools"]
    megabytes = 1500

    def source(self, tree):
        """Returns what names QEMU's source and the way it is compiled."""
        names = version(tree)
        if os.environ.get("QEMU_SRC"):
            names = [(str(path), about.st_size, about.st_mtime_ns)
                     for path in sorted(tree.rglob("*")) if path.is_file()
                     for about in [path.stat()]]
        return [names, CONFIGURE, compiler(), os.environ.get(PLAIN_CC, ""),
                cache.hash_file(MACHINE / "qemu-cc")]

    def compile(self, text, work, tools):
        """Compiles work/src in work/build."""
        environment = {**os.environ, "LC_ALL": "C"}
        if tools != pathlib.Path("/"):
            environment["PYTHONPATH"] = f"{tools}/usr/lib/python3/dist-packages"
        compiler_options = []
        if not os.environ.get(PLAIN_CC):
            # A checkout may go, the cache stays.
            shutil.copy(MACHINE / "qemu-cc", work / "cc")
            compiler_options = [f"--cc={work}/cc"]
        build = work / "build"
        build.mkdir(exist_ok=True)
        with Step(text, cache.log(self.name)) as step:
            if not (build / "build.ninja").exists():
                step.run("../src/configure", "--python=/usr/bin/python3", *compiler_options,
                         *CONFIGURE, cwd=build, env=environment)
            step.run("ninja", BINARY, cwd=build, env=environment)

    def collect(self, new, work, tree, tools):
        """Puts what is needed to run it into an entry."""
        for name in FIRMWARE:
            shutil.copy(self.firmware(name, tools), new / name)
        subprocess.run(["strip", "-o", new / BINARY, work / "build" / BINARY], check=True)
        (new / "version").write_text(f"{version(tree)}\n")

    def firmware(self, name, tools):
        for root in tools, pathlib.Path("/"):
            for place in FIRMWARE_PLACES:
                path = root / "usr/share" / place / name
                if path.is_file():
                    return path
        die(f"firmware {name} not found; it is in Debian's packages seabios and qemu-system-data")


class Qemu(QemuPart):
    """QEMU with the TDX module.  The build tree stays in the cache, because most
    changes touch few files."""

    name = "qemu"

    def inputs(self, needs):
        own = [str(path.relative_to(TDX)) for directory in ("qemu", "module")
               for path in sorted((TDX / directory).iterdir())
               if relevant(path.name) and path.is_file()]
        return [self.source(needs["qemu-source"]),
                cache.hash_files(TDX, [*own, "machine/devices.mak"], ".*")]

    def make(self, new, work, parts):
        tree = parts["qemu-source"]
        # Another checkout may change other files, and can't know of these.
        name = cache.hash_of(str(tree), self.source(tree), CHANGED)
        with cache.work(f"qemu-work/{name}") as kept:
            with Step(f"adding TDX to QEMU {version(tree)}", cache.log("qemu-insert")) as step:
                self.patch(step, tree, work / "tree", kept)
            self.pass_on(cache.log("qemu-insert"))
            self.compile(f"building QEMU {version(tree)}", kept, parts["qemu-tools"])
            self.collect(new, kept, tree, parts["qemu-tools"])
        self.describe_module(new)

    def patch(self, step, tree, changed, work):
        """Makes work/src QEMU's source with TDX in it."""
        if not (work / "src").exists():
            step.run("rm", "-rf", work / "src.new")
            step.run("cp", "-a", tree, work / "src.new")
            os.rename(work / "src.new", work / "src")
        changed.mkdir()
        step.run("cp", "-a", "--parents", *CHANGED, changed, cwd=tree)
        shutil.copy(MACHINE / "devices.mak", changed / DEVICES)
        step.run(TDX / "qemu/insert", changed)
        # All that is in the log then is what insert says of features that it left out.
        sys.stderr.write(pathlib.Path(step.path).read_text())
        for name in CHANGED:
            mirror(changed / name, work / "src" / name)

    def pass_on(self, log):
        """Prints what was left out of this QEMU."""
        for line in log.read_text(errors="replace").splitlines():
            say(line)

    def describe_module(self, new):
        """Writes what the module says of itself, for the launcher to pass on."""
        for about in "profile", "inject":
            with open(new / f"{about}.help", "w") as output:
                status = subprocess.run(
                    [new / BINARY, "-L", new, "-M", "microvm,acpi=off", "-nodefaults",
                     "-display", "none", "-device", f"tdx-module,{about}=help"],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL).returncode
            if status:
                die("this QEMU does not know the TDX module")


class Plain(QemuPart):
    """The same QEMU as it comes."""

    name = "plain"

    def inputs(self, needs):
        return [self.source(needs["qemu-source"]), cache.hash_file(MACHINE / "devices.mak")]

    def make(self, new, work, parts):
        tree = parts["qemu-source"]
        with Step(f"copying QEMU {version(tree)}", cache.log("plain-source")) as step:
            step.run("cp", "-a", tree, work / "src")
            shutil.copy(MACHINE / "devices.mak", work / "src" / DEVICES)
            firmware = work / "src/pc-bios/meson.build"
            text = firmware.read_text().replace("\nsubdir('dtb')", "\n# subdir('dtb')")
            firmware.write_text(text.replace(
                "\nif unpack_edk2_blobs\n",
                "\nunpack_edk2_blobs = false\nif unpack_edk2_blobs\n").replace(
                "\nsubdir('dtb')\n", "\n"))
        self.compile(f"building QEMU {version(tree)} as it is", work, parts["qemu-tools"])
        self.collect(new, work, tree, parts["qemu-tools"])
