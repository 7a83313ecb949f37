# SPDX-License-Identifier: GPL-2.0
"""Archives in cpio's "new ASCII" format, which the kernel unpacks at boot, one after the
other."""

import stat

BLOCK = 512     # bytes; the kernel finds the next archive after zeroes


def directory(name, mode=0o755):
    return name, stat.S_IFDIR | mode, b"", (0, 0)


def file(name, data, mode=0o644):
    return name, stat.S_IFREG | mode, data, (0, 0)


def device(name, major, minor, mode=0o600):
    """A character device."""
    return name, stat.S_IFCHR | mode, b"", (major, minor)


def padded(data, size):
    return data + bytes(-len(data) % size)


def member(number, name, mode, data, device_number):
    path = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    # Inode, mode, owner, group, links, time, size, devices, name, checksum.
    fields = [number, mode, 0, 0, links, 0, len(data), 0, 0, *device_number, len(path), 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return padded(header + path, 4) + padded(data, 4)


def archive(members):
    """Returns an archive of what directory(), file() and device() give, as bytes."""
    parts = [member(number, *one) for number, one in enumerate(members, 1)]
    return padded(b"".join([*parts, member(0, "TRAILER!!!", 0, b"", (0, 0))]), BLOCK)
