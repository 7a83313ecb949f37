# SPDX-License-Identifier: GPL-2.0
"""How much memory a kernel needs to get as far as the first program."""

import struct

MB = 1 << 20

# Beyond its own image: page tables, what is allocated for all memory and for each
# CPU, the TDX module's tables, and init.  Found by trying.
FOR_THE_KERNEL = 32
FOR_A_CPU = 1


def end_of_image(path):
    """The physical address behind the kernel, in bytes; 0 if the file is no kernel
    of a known kind."""
    with open(path, "rb") as file:
        header = file.read(0x264)
        if header[:5] == b"\x7fELF\x02" and len(header) >= 64:
            offset, = struct.unpack_from("<Q", header, 32)
            size, number = struct.unpack_from("<HH", header, 54)
            file.seek(offset)
            table = file.read(size * number)
            ends = [0]
            for at in range(0, len(table) - 55, size or 56):
                kind, = struct.unpack_from("<I", table, at)
                address, _, memory = struct.unpack_from("<QQQ", table, at + 24)
                if kind == 1:
                    ends.append(address + memory)
            return max(ends)
        if header[0x202:0x206] == b"HdrS" and len(header) == 0x264:
            address, size = struct.unpack_from("<QI", header, 0x258)
            return address + size
    return 0


def memory_needed(path, cpus):
    """In megabytes; 0 if that is not known."""
    end = end_of_image(path)
    return end and -(-end // MB) + FOR_THE_KERNEL + FOR_A_CPU * cpus
