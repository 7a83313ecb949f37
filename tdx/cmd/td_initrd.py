# SPDX-License-Identifier: GPL-2.0
"""The initramfs of a TD: a busybox, those of a kernel's modules that a TD has a use for,
and our init."""

import lzma
import os
import re

import cpio
from outcome import Failure
from parts import TDX

# The drivers for what a TD is and for what QEMU has for it.  Where a kernel has one of
# them built in, there is no module.
MODULES = """tdx_guest virtio_pci virtio_console virtio_blk virtio_net virtio_scsi virtio_rng
	vmw_vsock_virtio_transport 9pnet_virtio 9p ext4 vfat nls_cp437 nls_ascii nls_utf8
	overlay efivarfs configfs""".split()

NODES = [*(cpio.directory(name) for name in ("dev", "bin", "tdx", "lib", "lib/modules")),
         cpio.device("dev/console", 5, 1)]


def module_name(file):
    """By which depends= calls a module, which has no dash."""
    return re.sub(r"\.ko(\.xz)?$", "", file).replace("-", "_")


def module_files(kernel):
    """Returns the paths of a kernel's modules, by name."""
    return {module_name(file): os.path.join(where, file)
            for where, _, files in os.walk(kernel / "usr/lib/modules")
            for file in files if re.search(r"\.ko(\.xz)?$", file)}


def contents(path):
    with (lzma.open if path.endswith(".xz") else open)(path, "rb") as file:
        return file.read()


def facts(module, key):
    """Returns what a module says of itself under a key."""
    return [value.decode() for value in
            re.findall(rb"(?<=\0)%b=([^\0]*)\0" % key.encode(), module)]


class Modules:
    """Those of a kernel's modules that are wanted, with those that they need."""

    def __init__(self, kernel, wanted):
        self.files = module_files(kernel)
        self.data = {}      # contents by name
        self.needs = {}     # names by name, the nearest first
        for name in wanted:
            self.take(name)

    def take(self, name):
        if name in self.data or name not in self.files:
            return
        self.data[name] = contents(self.files[name])
        direct = [other for text in facts(self.data[name], "depends")
                  for other in text.split(",") if other]
        for other in direct:
            self.take(other)
        self.needs[name] = list(dict.fromkeys(
            other for near in direct for other in (near, *self.needs.get(near, []))))

    def members(self, release):
        """Returns what modprobe wants to find."""
        where = f"lib/modules/{release}"
        dependencies = "".join(
            f"{name}.ko: {' '.join(f'{other}.ko' for other in self.needs[name])}\n"
            for name in self.data)
        aliases = "".join(f"alias {alias} {name}\n" for name, data in self.data.items()
                          for alias in facts(data, "alias"))
        return [cpio.directory(where),
                *(cpio.file(f"{where}/{name}.ko", data) for name, data in self.data.items()),
                cpio.file(f"{where}/modules.dep", dependencies.encode()),
                cpio.file(f"{where}/modules.alias", aliases.encode())]


def release(kernel):
    """Returns what a distribution's kernel calls itself."""
    found = [path.name for path in (kernel / "usr/lib/modules").iterdir()]
    if len(found) != 1:
        raise Failure(f"{kernel}: {len(found)} kernels, not one")
    return found[0]


def image(kernel):
    """Returns the path of a distribution's kernel in its package's directory."""
    version = release(kernel)
    path = kernel / f"boot/vmlinuz-{version}"
    return path if path.exists() else kernel / f"usr/lib/modules/{version}/vmlinuz"


def initrd(kernel, busybox, files):
    """Returns the initramfs for a distribution's kernel, or for one without modules if it
    is None; files are more for /tdx, as bytes by name."""
    loadable = Modules(kernel, MODULES).members(release(kernel)) if kernel else []
    return cpio.archive([
        *NODES,
        cpio.file("bin/busybox", (busybox / "usr/bin/busybox").read_bytes(), 0o755),
        cpio.file("init", (TDX / "boot/init").read_bytes(), 0o755),
        *loadable,
        *(cpio.file(f"tdx/{name}", data, 0o755) for name, data in files.items())])
