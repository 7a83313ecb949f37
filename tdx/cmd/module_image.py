# SPDX-License-Identifier: GPL-2.0
"""Images of the emulated TDX module, as Linux takes them for an update at run time:
a header, a page that describes and signs the module, and the module's own pages."""

import hashlib
import pathlib
import struct

PAGE = 4096

# EAX of CPUID leaf 1 of the CPUs that the box has.
CPUS = [0x806f0, 0xa06d0]

# tdx/module/seamldr.h has the structures.
MODULUS = b"\x5a" * 384
EXPONENT = 0x10001


def padded(data, size=PAGE):
    return data + bytes(-len(data) % size)


def signature_page(version, module):
    """Returns the page that goes with a module's pages."""
    major, _, update = version
    header = struct.pack("<10I88x", 6, 0xe1, 0x10000, 0, 0x8086, 0, 0x200, 0x60, 0x60, 1)
    body = hashlib.sha384(module).digest() + struct.pack("<BBQ", update, major, 0)
    body += bytes(20 + 6 + 8 + 8 + 24)
    body += struct.pack("<256I", len(CPUS), *CPUS, *[0] * (255 - len(CPUS)))
    # What stands for a signature is the hash that would be signed.
    signature = hashlib.sha384(header + body).digest()
    return padded(header + MODULUS + struct.pack("<I", EXPONENT) + padded(signature, 384) + body)


def module_image(version, pages=3):
    """Returns the image of a module of this version, three numbers."""
    module = padded(b"TDX MODULE IMAGE" + struct.pack("<3H", *version), PAGE * pages)
    header = struct.pack("<HH8sII", 0x200, 0, b"TDX-BLOB", 1, pages)
    return padded(header) + signature_page(version, module) + module


def damaged(image, at):
    """Returns the image with one byte changed."""
    return image[:at] + bytes([image[at] ^ 1]) + image[at + 1:]


def write_images(directory, version):
    """Writes the images that programs/tdx_update takes: for a module of this version."""
    major, minor, update = version
    image = module_image((major, minor, update + 1))
    for name, data in [
            ("newer", image),
            ("damaged-header", damaged(image, 4)),
            ("damaged-module", damaged(image, len(image) - 1)),
            ("damaged-signature", damaged(image, PAGE))]:
        pathlib.Path(directory, name).write_bytes(data)
