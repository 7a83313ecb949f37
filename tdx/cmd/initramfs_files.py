# SPDX-License-Identifier: GPL-2.0
"""A cpio archive of a few files, to be put behind the box's initramfs: the kernel
unpacks one archive after the other."""


def entry(name, mode, data=b"", inode=0):
    name = name.encode() + b"\0"
    # Inode, mode, owner, group, links, time, size, device twice, name, checksum.
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return pad(header, 4) + pad(data, 4)


def pad(data, size):
    return data + bytes(-len(data) % size)


def archive(directory, files):
    """Returns an archive of a directory and the files in it, a dict of bytes."""
    parts = [entry(directory, 0o40700, inode=1)]
    for inode, (name, data) in enumerate(files.items(), 2):
        parts.append(entry(f"{directory}/{name}", 0o100600, data, inode))
    parts.append(entry("TRAILER!!!", 0))
    return pad(b"".join(parts), 512)
