# SPDX-License-Identifier: GPL-2.0
"""An initramfs with one program in it, and programs that need no library."""

import stat

# The console and the kernel's log are there before the program mounts anything.
NODES = [("dev", stat.S_IFDIR | 0o755, 0, 0),
         ("dev/console", stat.S_IFCHR | 0o600, 5, 1),
         ("dev/kmsg", stat.S_IFCHR | 0o600, 1, 11)]


def padded(data):
    return data + bytes(-len(data) % 4)


def member(number, name, mode, data=b"", device=(0, 0)):
    """Returns a member of an archive in cpio's "new ASCII" format."""
    path = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = [number, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(path), 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return padded(header + path) + padded(data)


def archive(init):
    """Returns an initramfs whose /init is the program init, as bytes."""
    members = [member(number, name, mode, device=(major, minor))
               for number, (name, mode, major, minor) in enumerate(NODES, 1)]
    members.append(member(len(NODES) + 1, "init", stat.S_IFREG | 0o755, init))
    return b"".join(members) + member(0, "TRAILER!!!", 0)


def make_static(step, program, source):
    """Makes a program that starts at once, which counts in the box."""
    step.run("gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-static", "-o", program, source)


def make_initramfs(step, source, directory):
    """Makes directory/initramfs from the C source of an init."""
    make_static(step, directory / "box-init", source)
    (directory / "initramfs").write_bytes(archive((directory / "box-init").read_bytes()))
