# SPDX-License-Identifier: GPL-2.0
"""The parts that are made from Linux: its source, its headers for programs, the
kernel in the box, one that counts which lines ran, and a Linux to run as a TD.

A tree of the user's own (KSRC) changes under our feet: it has one build directory,
and kbuild finds out what is to be done there."""

import os
import pathlib
import re
import shutil

import cache
import debian
from graph import TDX, Part, compiler, ksrc
from initramfs import make_initramfs
from process import Step, StepFailed, die

MACHINE = TDX / "machine"

# Set to anything, the box's kernel is compiled without precompiled headers.
PLAIN_CC = "TDX_PLAIN_CC"


def check_tree(tree):
    """Ends with one line if the box's kernel can't be built from a tree."""
    try:
        text = (tree / "arch/x86/Kconfig").read_text()
    except OSError:
        text = ""
    if "\nconfig INTEL_TDX_HOST\n" not in text:
        die(f"{tree}: this kernel has no TDX host support (it came with Linux 6.16)")


def check_ksrc(tree):
    """As kbuild does, and before anything else is done."""
    if re.search(r"[\s:]", str(tree)):
        die(f"KSRC={tree}: kernels can't be built from a path with blanks or colons")
    if not (tree / "Kbuild").is_file() or not (tree / "arch/x86").is_dir():
        die(f"KSRC={tree}: no kernel source")
    check_tree(tree)
    for trace in ".config", "include/config", "arch/x86/include/generated":
        if (tree / trace).exists():
            die(f"{tree} is not clean, there is {trace}; 'make -C {tree} mrproper' first, "
                "as it is built outside")


class Linux(Part):
    """The kernel's source itself."""

    name = "linux"

    def find(self, needs):
        if ksrc():
            tree = pathlib.Path(os.path.realpath(ksrc()))
            check_ksrc(tree)
            return tree
        version = os.environ.get("KERNEL") or debian.linux_here()
        found = version and cache.find(f"src/linux-{version}")
        return found / "tree" if found else None

    def build(self, needs, get):
        found = self.find(needs)
        if found:
            return found
        debian.install()
        tree = debian.linux_source(os.environ.get("KERNEL")) / "tree"
        check_tree(tree)
        return tree


class LinuxPart(Part):
    """What kbuild makes."""

    needs = ["linux"]

    def find(self, needs):
        return None if ksrc() else super().find(needs)

    def build(self, needs, get):
        if not ksrc():
            return super().build(needs, get)
        debian.install()
        cache.need_space(1000)
        name = f"ksrc/{cache.hash_of(str(needs['linux']))}"
        with cache.work(name) as work:
            result = self.make_in(work, needs["linux"])
        cache.find(name)
        return result

    def make_in(self, work, tree):
        """Makes it in the build directory of a tree of the user's own."""
        raise NotImplementedError


class Headers(LinuxPart):
    """The kernel's headers for user programs, in include/."""

    name = "headers"
    megabytes = 200

    def entry(self, needs):
        return f"headers/{debian.linux_version(needs['linux'])}"

    def make_headers(self, build, tree):
        build.mkdir(exist_ok=True)
        with Step("making headers", cache.log("headers")) as step:
            step.run("make", "-C", tree, f"O={build}", jobs(), "headers")

    def make(self, new, work, parts):
        self.make_headers(work / "build", parts["linux"])
        os.rename(work / "build/usr/include", new / "include")

    def make_in(self, work, tree):
        self.make_headers(work, tree)
        return work / "usr"


def jobs():
    return f"-j{len(os.sched_getaffinity(0))}"


# Symbols of KVM's that not every kernel has.  Any other that a kernel doesn't know is
# a mistake.
NOT_EVERYWHERE = ["KVM_VM_MEMORY_ATTRIBUTES"]


def text_of(path):
    return path.read_text() if path.is_file() else ""


def merged(texts):
    """Returns the lines of configurations.  For a symbol in two of them the later holds."""
    lines = {}
    for line in "".join(texts).splitlines(keepends=True):
        symbol = re.match(r"(?:# )?(CONFIG_\w+)", line)
        lines[symbol[1] if symbol else len(lines)] = line
    return "".join(lines.values())


def lines_for(tree, configs):
    """Returns the lines of configurations, without what a kernel can't have."""
    wanted = merged(path.read_text() for path in configs)
    # The first kernels with TDX host support can't have kexec beside it.
    if "depends on !KEXEC_CORE" in text_of(tree / "arch/x86/Kconfig"):
        wanted = wanted.replace("\nCONFIG_KEXEC=y\n", "\n")
    known = text_of(tree / "virt/kvm/Kconfig") + text_of(tree / "arch/x86/kvm/Kconfig")
    for symbol in NOT_EVERYWHERE:
        if not re.search(rf"^config {symbol}$", known, re.M):
            wanted = wanted.replace(f"\nCONFIG_{symbol}=y\n", "\n")
    return wanted


def configure(step, tree, build, configs):
    """Configures a kernel with these lines and nothing else that can be off."""
    wanted = lines_for(tree, configs)
    used = build / "box-config"
    if (build / ".config").exists() and used.exists() and used.read_text() == wanted:
        return
    build.mkdir(exist_ok=True)
    used.write_text(wanted)
    # Before Linux 7.3 sysctls were asked for by another name.
    (build / "allconfig").write_text(
        wanted.replace("\nCONFIG_SYSCTL=y\n", "\nCONFIG_SYSCTL=y\nCONFIG_PROC_SYSCTL=y\n"))
    step.run("make", "-C", tree, f"O={build}",
             f"KCONFIG_ALLCONFIG={build}/allconfig", "allnoconfig")
    check_taken(build, wanted)


def check_taken(build, wanted):
    """Fails the step if the kernel's configuration lacks a line that was wanted."""
    taken = set((build / ".config").read_text().splitlines())
    for line in re.findall(r"^(?:# )?CONFIG_.*", wanted, re.M):
        if line not in taken:
            (build / ".config").unlink()
            raise StepFailed(f"the kernel's configuration did not take: {line}")


def compiler_options(directory, *headers):
    """Returns make's options for the box's compiler, which goes to the directory.  In the
    cache no path has blanks, which make can't do with."""
    if os.environ.get(PLAIN_CC):
        return []
    for name in "kernel-cc", *headers:
        shutil.copy(MACHINE / name, directory / name.removeprefix("kernel-"))
    return [f"CC={directory}/cc"]


class Kernel(LinuxPart):
    """The kernel in the box."""

    name = "kernel"
    megabytes = 500
    configs = [MACHINE / "kernel.config"]
    options = []    # make's
    init = None     # the source of an init to go with it

    def inputs(self, needs):
        files = [MACHINE / "kernel-cc", MACHINE / "kernel-common.h", *self.configs]
        return [debian.linux_version(needs["linux"]), compiler(), self.options,
                os.environ.get(PLAIN_CC, ""),
                [cache.hash_file(path) for path in [*files, *([self.init] if self.init else [])]]]

    def configure(self, step, tree, build):
        configure(step, tree, build, self.configs)

    def compile(self, tree, build, options=()):
        version = debian.linux_version(tree)
        text = f"building Linux {version} ({self.name})"
        if ksrc():
            text = f"building Linux {version} of {tree} ({self.name})"
        with Step(text, cache.log(self.name)) as step:
            self.configure(step, tree, build)
            step.run("make", "-C", tree, f"O={build}", jobs(), *self.options, *options, "vmlinux")
            shutil.copy(build / "include/config/kernel.release", build / "release")
        if self.init:
            with Step("building its init", cache.log(f"{self.name}-init")) as step:
                make_initramfs(step, self.init, build)

    def make(self, new, work, parts):
        build = work / "build"
        self.compile(parts["linux"], build, compiler_options(work, "kernel-common.h"))
        for name in "vmlinux", ".config", "release", *(["initramfs"] if self.init else []):
            shutil.copy(build / name, new / name)
        for path in build.rglob("*.gcno"):
            to = new / path.relative_to(build)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)

    def make_in(self, work, tree):
        build = work if self.name == "kernel" else work / self.name
        build.mkdir(exist_ok=True)
        self.compile(tree, build, compiler_options(build))
        return build


class Debug(Kernel):
    """A kernel that looks for its own bugs."""

    name = "debug"
    configs = [*Kernel.configs, MACHINE / "debug.config"]
    # memchr_inv() checks whole pages for their poison, and KASAN would begin a report for
    # each word, which is dropped: such memory has been freed.
    options = ["KASAN_SANITIZE_string.o=n"]


class Vmm(Kernel):
    """A kernel that has what VMMs look for in a host, and boots slower for that."""

    name = "vmm"
    configs = [*Kernel.configs, MACHINE / "vmm.config"]


class Kcsan(Kernel):
    """A kernel that looks for data races in KVM and in the code about TDX.  It looks at one
    access in so many, which would be few of these if the rest of the kernel had any."""

    name = "kcsan"
    configs = [*Kernel.configs, MACHINE / "kcsan.config"]
    CHECKED = """x86 irq lapic cpuid msrs pmu regs mtrr i8254 i8259 ioapic hyperv smm
        mmu/mmu mmu/page_track mmu/spte mmu/tdp_iter mmu/tdp_mmu
        vmx/main vmx/tdx vmx/vmx vmx/nested vmx/pmu_intel vmx/posted_intr
        ../../../virt/kvm/kvm_main ../../../virt/kvm/async_pf ../../../virt/kvm/binary_stats
        ../../../virt/kvm/coalesced_mmio ../../../virt/kvm/dirty_ring
        ../../../virt/kvm/eventfd ../../../virt/kvm/guest_memfd ../../../virt/kvm/irqchip
        ../../../virt/kvm/pfncache ../../../virt/kvm/vfio
        seamcall seamldr tdx tdx-host""".split()
    options = ["KCSAN_SANITIZE=n", *(f"KCSAN_SANITIZE_{name}.o=y" for name in CHECKED)]


class Kmemleak(Kernel):
    """A kernel that looks for lost memory."""

    name = "kmemleak"
    configs = [*Kernel.configs, MACHINE / "kmemleak.config"]


class Configured(Kernel):
    """A kernel with a configuration of the user's own, whose file KERNEL_CONFIG names, and
    what the box needs."""

    name = "configured"
    # The emulator may run the code that a jump label has just replaced.
    NEEDS = "# CONFIG_JUMP_LABEL is not set\n"

    def inputs(self, needs):
        file = os.environ.get("KERNEL_CONFIG")
        return [*super().inputs(needs), file and cache.hash_file(file), self.NEEDS]

    def configure(self, step, tree, build):
        build.mkdir(exist_ok=True)
        wanted = lines_for(tree, self.configs) + self.NEEDS
        own = pathlib.Path(os.environ["KERNEL_CONFIG"]).read_text(errors="replace")
        (build / ".config").write_text(own + wanted)
        step.run("make", "-C", tree, f"O={build}", "olddefconfig")
        check_taken(build, wanted)


class Coverage(Kernel):
    """A kernel that counts which lines of the code about TDX ran.  kbuild takes the
    names of the objects to count in from make's variables."""

    name = "coverage"
    configs = [*Kernel.configs, MACHINE / "coverage.config"]
    # By directory, as the directory's makefile names them.
    counted = {
        "arch/x86/kvm": "vmx/tdx vmx/main vmx/pmu_intel vmx/posted_intr x86 regs msrs irq "
                        "lapic mmu/mmu mmu/page_track",
        "arch/x86/virt/vmx/tdx": "tdx seamldr",
        "drivers/virt/coco/tdx-host": "tdx-host",
    }
    options = [f"GCOV_PROFILE_{name}.o=y" for names in counted.values()
               for name in names.split()]

    @classmethod
    def objects(cls):
        """Returns the paths of the objects, without .o."""
        return [f"{directory}/{name}" for directory, names in cls.counted.items()
                for name in names.split()]


class Fuzz(Kernel):
    """A kernel that looks for its own bugs and tells each thread which code of KVM it
    went through; in KVM's TDX code also which lines.  Objects that have the name of
    another part of the kernel's are not counted."""

    name = "fuzz"
    configs = [*Kernel.configs, MACHINE / "fuzz.config"]
    COUNTED = """x86 lapic msrs regs smm hyperv mmu/mmu mmu/spte mmu/tdp_iter mmu/tdp_mmu
        vmx/tdx vmx/main vmx/vmx vmx/nested vmx/posted_intr
        ../../../virt/kvm/kvm_main ../../../virt/kvm/eventfd ../../../virt/kvm/irqchip
        ../../../virt/kvm/coalesced_mmio ../../../virt/kvm/dirty_ring
        ../../../virt/kvm/pfncache ../../../virt/kvm/guest_memfd tdx seamcall""".split()
    options = [*(f"KCOV_INSTRUMENT_{name}.o=y" for name in COUNTED),
               "CFLAGS_vmx/tdx.o=-g"]


class Guest(Kernel):
    """A Linux to run as a TD, with an init."""

    name = "guest"
    configs = [TDX / "guest/config"]
    init = TDX / "guest/init.c"
