# SPDX-License-Identifier: GPL-2.0
"""What a TD's measurements ought to be, by arithmetic: MRTD from the firmware's file, RTMRs
from the event log.

The firmware's side is in Intel's "TDX Virtual Firmware Design Guide", the module's in its
"Base Architecture Specification" (MRTD), the log's in the UEFI specification (CC event log)
and TCG's "PC Client Platform Firmware Profile" (the format of its events)."""

import hashlib
import struct
import uuid

PAGE_SIZE = 4096
CHUNK_SIZE = 256        # of what TDH.MR.EXTEND measures at a time
HEADER_SIZE = 128       # of what it and TDH.MEM.PAGE.ADD measure beside that

# The table of GUIDs at the firmware's end, and its entry for TDX.
TABLE_FOOTER = uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d")
TDX_METADATA = uuid.UUID("e47a6535-984a-4798-865e-4685a7bf8ec2")
TABLE_END = 32          # bytes behind the table

EXTEND = 1              # attributes of a section: it is measured
AUGMENT = 2             # it is no part of the TD that is built

SHA384_SIZE = 48
SHA384 = 0x000c         # TCG's number of the algorithm
NO_ACTION = 3           # an event that extends nothing


class Malformed(Exception):
    """A file is no firmware for TDs, or no log of events."""


def unpack(form, data, at):
    """As struct does it, for a file that may be anything."""
    if at < 0 or at + struct.calcsize(form) > len(data):
        raise Malformed("it ends too early")
    return struct.unpack_from(form, data, at)


def table_entries(firmware):
    """Yields the GUID and the data of each entry, from the table's end."""
    end = len(firmware) - TABLE_END
    size, guid = unpack("<H16s", firmware, end - 18)
    if uuid.UUID(bytes_le=guid) != TABLE_FOOTER:
        raise Malformed("no firmware: there is no table of GUIDs at its end")
    start = end - size
    at = end - 18
    while at - 18 >= start:
        size, guid = unpack("<H16s", firmware, at - 18)
        if not 18 <= size <= at:
            raise Malformed("its table of GUIDs makes no sense")
        yield uuid.UUID(bytes_le=guid), firmware[at - size:at - 18]
        at -= size


def sections(firmware):
    """Yields address, size, contents and attributes of each section for a TD."""
    found = dict(table_entries(firmware)).get(TDX_METADATA)
    if not found:
        raise Malformed("it has no metadata for TDX")
    at = len(firmware) - unpack("<I", found, 0)[0]
    signature, _, _, number = unpack("<4sIII", firmware, at)
    if signature != b"TDVF":
        raise Malformed("its metadata for TDX is no such thing")
    for section in range(number):
        offset, raw, address, size, _, attributes = unpack(
            "<IIQQII", firmware, at + 16 + 32 * section)
        yield address, size, firmware[offset:offset + raw], attributes


def header(name, gpa):
    return (name.ljust(16, b"\0") + struct.pack("<Q", gpa)).ljust(HEADER_SIZE, b"\0")


def mrtd(firmware):
    """Returns MRTD of a TD that is built from a firmware, as KVM and QEMU do it: section
    by section, each page added and then measured."""
    digest = hashlib.sha384()
    for address, size, contents, attributes in sections(firmware):
        if attributes & AUGMENT:
            continue
        contents = contents.ljust(size, b"\0")
        for offset in range(0, size, PAGE_SIZE):
            digest.update(header(b"MEM.PAGE.ADD", address + offset))
            if not attributes & EXTEND:
                continue
            for at in range(offset, offset + PAGE_SIZE, CHUNK_SIZE):
                digest.update(header(b"MR.EXTEND", address + at))
                digest.update(contents[at:at + CHUNK_SIZE])
    return digest.digest()


def extended(register, digest):
    """Returns an RTMR that was extended."""
    return hashlib.sha384(register + digest).digest()


def events(log):
    """Yields register, type, digest and data of each event of a log with SHA-384 digests.
    Registers count from 1, as 0 is MRTD."""
    # The first event has another form and says what forms the others have.
    at = 32 + unpack("<I", log, 28)[0]
    if NO_ACTION != unpack("<I", log, 4)[0]:
        raise Malformed("no log of events")
    while at + 12 <= len(log):
        register, kind, digests = unpack("<III", log, at)
        # Behind the last one the table goes on.
        if digests != 1 or not 1 <= register <= 4:
            return
        at += 12
        algorithm, = unpack("<H", log, at)
        if algorithm != SHA384:
            raise Malformed(f"an event's digest is of kind {algorithm:#x}, not SHA-384")
        digest = log[at + 2:at + 2 + SHA384_SIZE]
        at += 2 + SHA384_SIZE
        size, = unpack("<I", log, at)
        yield register, kind, digest, log[at + 4:at + 4 + size]
        at += 4 + size


def rtmrs(log):
    """Returns what the four RTMRs are after the events of a log."""
    registers = [bytes(SHA384_SIZE)] * 4
    for register, kind, digest, _ in events(log):
        if kind != NO_ACTION:
            registers[register - 1] = extended(registers[register - 1], digest)
    return registers


# Where a TD's report has what, in bytes.
REPORT_SIZE = 1024
TDINFO_HASH = slice(80, 128)
REPORT_DATA = slice(128, 192)
TDINFO = slice(512, 1024)
MRTD = slice(528, 576)
RTMR0 = 720


class Report:
    """A TD's report, as TDG.MR.REPORT makes it."""

    def __init__(self, data):
        self.data = data[REPORT_DATA]
        self.mrtd = data[MRTD]
        self.rtmrs = [data[at:at + SHA384_SIZE]
                      for at in range(RTMR0, RTMR0 + 4 * SHA384_SIZE, SHA384_SIZE)]
        # Whether what is said of the TD is what the report's MAC covers.
        self.is_whole = (len(data) == REPORT_SIZE and
                         data[TDINFO_HASH] == hashlib.sha384(data[TDINFO]).digest())
