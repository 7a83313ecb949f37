# SPDX-License-Identifier: GPL-2.0
"""Compares each constant of tdx_abi.h with the kernel's of the same name.

    abi.py KSRC KHDR

Prints nothing and exits with 0 if they agree; else the compiler says which one
does not.  At least one has to be found in the kernel's header.
"""
import re
import subprocess
import sys
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / 'include/x86/tdx/tdx_abi.h'
CONSTANT = re.compile(r'^#define\s+(TD[A-Z0-9_]*)\s+([^"\n]*?)\s*(?:/\*.*)?$', re.MULTILINE)


def program(header):
    """A C program that compiles if all constants agree."""
    lines = ['#include <stdbool.h>', '#include <linux/types.h>',
             '#include <asm/shared/tdx.h>',
             '#ifndef TDVMCALL_MAP_GPA', '#error the kernel has moved its constants', '#endif']
    for name, value in CONSTANT.findall(header):
        lines += [f'#ifdef {name}',
                  f'_Static_assert(({name}) == ({value}), "{name}");', '#endif']
    return '\n'.join(lines) + '\n'


def main(argv):
    ksrc, khdr = map(Path, argv)
    # Only what tools/include lacks may come from the kernel's own headers.
    command = ['gcc', '-fsyntax-only', '-x', 'c', '-DCONFIG_64BIT',
               '-I', ksrc / 'tools/include', '-I', ksrc / 'tools/arch/x86/include',
               '-I', khdr / 'include',
               '-idirafter', ksrc / 'arch/x86/include', '-idirafter', ksrc / 'include', '-']
    return subprocess.run(command, input=program(HEADER.read_text()), text=True,
                          check=False).returncode


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
