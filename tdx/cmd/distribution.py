# SPDX-License-Identifier: GPL-2.0
"""Debian's own programs for TDs, as parts: a VMM, firmware, kernels, and what a shell in
a TD takes.  Nothing of them is installed on this machine."""

import cache
import debian
from graph import Part
from process import Step


class Packages(Part):
    """Packages that are unpacked, in usr/ and perhaps boot/."""

    suite = "trixie"
    packages = []
    # Which of the packages that these depend on are unpacked, too: a regular expression.
    depends = None
    # Suites whose lists are read for these packages only.
    other_suites = ()
    kind = "debian"     # in the cache

    def entry(self, needs):
        return f"{self.kind}/{self.name}"

    def build(self, needs, get):
        def make(new, work):
            debian.need_apt_root(self.other_suites)
            with Step(f"fetching {' '.join(self.packages)} of {self.suite}",
                      cache.log(self.name)) as step:
                wanted = [f"{package}/{self.suite}" for package in self.packages]
                if self.depends:
                    wanted = debian.closure(step, work, self.suite, wanted, self.depends)
                debian.unpack_debs(step, new, work, wanted)

        return cache.entry(self.entry(needs), self.megabytes, make)


class QemuSystem(Packages):
    """QEMU with all the libraries that it takes, down to libc."""

    name = "qemu-system-x86"
    suite = "trixie-backports"
    packages = ["qemu-system-x86"]
    depends = ".*"
    megabytes = 300


class Ovmf(Packages):
    """Firmware for VMs and TDs, without Secure Boot's keys."""

    name = "ovmf"
    packages = ["ovmf"]


class OvmfInteltdx(Packages):
    """Firmware for TDs only, with the keys for Secure Boot in it."""

    name = "ovmf-inteltdx"
    suite = "forky"
    packages = ["ovmf-inteltdx"]
    other_suites = ("forky",)


class Busybox(Packages):
    """The programs of a TD."""

    name = "busybox"
    packages = ["busybox-static"]


class Shim(Packages):
    """What Secure Boot starts."""

    name = "shim"
    packages = ["shim-signed", "grub-efi-amd64-signed"]


class DistributionKernel(Packages):
    """A kernel with its modules, which some versions have in packages of their own."""

    packages = ["linux-image-amd64"]
    depends = r"linux-(image|binary|modules)-[0-9].*"
    megabytes = 500


class StableKernel(DistributionKernel):
    """The one that trixie came with."""

    name = "linux-trixie"


class BackportedKernel(DistributionKernel):
    """The newest for trixie."""

    name = "linux-trixie-backports"
    suite = "trixie-backports"


PARTS = [QemuSystem, Ovmf, OvmfInteltdx, Busybox, Shim, StableKernel, BackportedKernel]
