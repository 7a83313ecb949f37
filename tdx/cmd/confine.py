# SPDX-License-Identifier: GPL-2.0
"""What the machine may do to the directory of --out.

Root inside has the rights of QEMU's user there.  It must not leave a setuid program or
a device behind, which another user of this host could use.  A seccomp filter refuses
QEMU the system calls that make them."""

import ctypes
import errno
import os
import platform
import struct

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
CAP_FSETID = 4
SECCOMP_MODE_FILTER = 2

AUDIT_ARCH_X86_64 = 0xc000003e
X32 = 0x40000000

KILL = 0x80000000
ALLOW = 0x7fff0000
ERRNO = 0x00050000

# BPF instructions.
LOAD, AND, RETURN = 0x20, 0x54, 0x06
IF_EQUAL, IF_ANY, IF_ABOVE_OR_EQUAL = 0x15, 0x45, 0x35
ARCH, NUMBER = 4, 0     # offsets in the filter's data


def argument(number):
    return 16 + 8 * number      # the low half


# System calls by the argument that is a file's mode.
MODES = {
    90: 1,      # chmod
    91: 1,      # fchmod
    268: 2,     # fchmodat
    452: 2,     # fchmodat2
    83: 1,      # mkdir
    258: 2,     # mkdirat
    85: 1,      # creat
    133: 1,     # mknod
    259: 2,     # mknodat
}
# open and openat: the flags, and the mode if they have O_CREAT or O_TMPFILE.
OPENS = {2: 1, 257: 2}
# mknod and mknodat make devices, too.
MAKES_NODES = {133, 259}
# Capabilities of files and what reaches files in other ways.
REFUSED = {
    188: errno.EOPNOTSUPP,      # setxattr
    189: errno.EOPNOTSUPP,      # lsetxattr
    190: errno.EOPNOTSUPP,      # fsetxattr
    463: errno.EOPNOTSUPP,      # setxattrat
    425: errno.ENOSYS,          # io_uring_setup
    437: errno.ENOSYS,          # openat2
}


def instruction(code, value, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, value)


def block(number, body):
    """Instructions for one system call; others jump over them."""
    return [instruction(IF_EQUAL, number, 0, len(body)), *body]


def refuse(error):
    return instruction(RETURN, ERRNO | error)


def check_mode(position, bits):
    return [instruction(LOAD, argument(position)),
            instruction(IF_ANY, bits, 0, 1),
            refuse(errno.EPERM)]


def check_node(position):
    return [instruction(LOAD, argument(position)),
            instruction(AND, 0o170000),
            instruction(IF_EQUAL, 0o020000, 1, 0),
            instruction(IF_EQUAL, 0o060000, 0, 1),
            refuse(errno.EPERM)]


def make_filter(bits):
    """Returns BPF instructions that refuse files whose mode has one of these bits."""
    allow = instruction(RETURN, ALLOW)
    program = [instruction(LOAD, ARCH),
               instruction(IF_EQUAL, AUDIT_ARCH_X86_64, 1, 0),
               instruction(RETURN, KILL),
               instruction(LOAD, NUMBER),
               instruction(IF_ABOVE_OR_EQUAL, X32, 0, 1),
               instruction(RETURN, KILL)]
    for number, position in MODES.items():
        body = check_mode(position, bits)
        if number in MAKES_NODES:
            body += check_node(position)
        program += block(number, [*body, allow])
    for number, position in OPENS.items():
        program += block(number, [
            instruction(LOAD, argument(position)),
            instruction(IF_ANY, os.O_CREAT | os.O_TMPFILE & ~os.O_DIRECTORY, 1, 0),
            allow,
            *check_mode(position + 1, bits), allow])
    for number, error in REFUSED.items():
        program += block(number, [refuse(error)])
    return b"".join([*program, allow])


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def prepare(directory):
    """Returns a function that confines the calling process and those that it starts,
    for a directory that they share.  It may be called after a fork."""
    if platform.machine() != "x86_64":
        raise OSError(errno.ENOSYS, "confinement is for x86-64")
    setgid = os.stat(directory).st_mode & 0o2000
    # Directories below one with this bit inherit it, and are made with it.
    code = make_filter(0o4000 if setgid else 0o6000)
    program = Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)

    def confine():
        # So that what is written to a file of another user's rights loses them.  Only
        # root has this to lose.
        libc.prctl(PR_CAPBSET_DROP, CAP_FSETID, 0, 0, 0)
        if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or
                libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))):
            raise OSError(ctypes.get_errno(), "seccomp")

    return confine
