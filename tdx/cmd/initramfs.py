# SPDX-License-Identifier: GPL-2.0
"""An initramfs with one program in it, and programs that need no library."""

import cpio

# The console and the kernel's log are there before the program mounts anything.
NODES = [cpio.directory("dev"), cpio.device("dev/console", 5, 1), cpio.device("dev/kmsg", 1, 11)]


def archive(init):
    """Returns an initramfs whose /init is the program init, as bytes."""
    return cpio.archive([*NODES, cpio.file("init", init, 0o755)])


def make_static(step, program, source):
    """Makes a program that starts at once, which counts in the box."""
    step.run("gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-static", "-o", program, source)


def make_initramfs(step, source, directory):
    """Makes directory/initramfs from the C source of an init."""
    make_static(step, directory / "box-init", source)
    (directory / "initramfs").write_bytes(archive((directory / "box-init").read_bytes()))
