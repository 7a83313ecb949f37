# SPDX-License-Identifier: GPL-2.0
"""Boxes in which something fails: SEAMCALLs that KVM takes for its own bugs, and
machines that KVM can't use for TDX.  "make check" and "make coverage" run them."""

import collections
import pathlib

from injections import INSIDE, lines
from outcome import STATUS_KERNEL

# KVM finds a lock busy when it blocks a page, and has to try again, which takes long:
# meanwhile it keeps the vCPUs out.
ZAP = "TDH.MEM.RANGE.BLOCK:OPERAND_BUSY@1+TDH.MEM.RANGE.BLOCK:lingers@2"


def cases():
    """Returns the cases of tdx_seamcall_fails, each with what is to be injected."""
    return [line.split(" ") for line in lines(INSIDE / "tdx_seamcall_fails.plans")]


# A machine without TDX.  The message is the kernel's; rules change the module.
Refusal = collections.namedtuple("Refusal", "name options rules message complains",
                                 defaults=([], "", "", False))


def broken(call):
    """A machine whose module can't be initialized."""
    return Refusal(f"{call} fails", ["--inject", f"{call}:SYS_BUSY@1"],
                   message="virt/tdx: SEAMCALL (0x", complains=True)


REFUSALS = [
    Refusal("nobody asks for TDX", ["--append", "kvm_intel.tdx=0"]),
    Refusal("no EPT", ["--append", "kvm_intel.ept=0"], message="EPT is required for TDX"),
    Refusal("no TDP MMU", ["--append", "kvm.tdp_mmu=0"], message="TDP MMU and MMIO caching"),
    Refusal("no MMIO caching", ["--append", "kvm.mmio_caching=0"],
            message="TDP MMU and MMIO caching"),
    Refusal("no A/D bits in the EPT", ["--append", "kvm_intel.eptad=0"],
            message="EPT A/D bit is required for TDX"),
    Refusal("no APICv", ["--append", "kvm_intel.enable_apicv=0"],
            message="APICv is required for TDX"),
    Refusal("no XSAVE", ["--append", "noxsave"], message="OSXSAVE is required for TDX"),
    Refusal("no MOVDIR64B", ["--append", "clearcpuid=movdir64b"],
            message="MOVDIR64B is required for TDX"),
    Refusal("no self-snoop", ["--append", "clearcpuid=ss"],
            message="Self-snoop is required for TDX"),
    Refusal("no TDX in the CPU", ["--plain", "--append", "no_timer_check"],
            message="TDX not supported by the host platform"),
    Refusal("no module", ["--profile", "none"], message="virt/tdx: module not loaded"),
    Refusal("a module for fewer vCPUs than CPUs", rules="profile max-vcpus 0xffff 2\n",
            message="MAX_VCPU_PER_TD (2) smaller than number of logical CPUs"),
    Refusal("a module that clobbers RBP", rules="profile features0 0x40000 0\n",
            message="frame pointer (RBP) clobber bug present"),
    Refusal("a module without KVM's attributes", rules="profile attributes 0x10000000 0\n"),
    Refusal("a module without the topology's leaf", rules="profile features0 0x100000 0\n"),
    *[broken(f"TDH.SYS.{name}") for name in ("INIT", "LP.INIT", "RD", "CONFIG", "KEY.CONFIG")],
]

# Runs inside: the parameter is N, or there is no KVM at all, and the log says why.
CHECK_REFUSAL = """
[ "$(cat /sys/module/kvm_intel/parameters/tdx)" = N ] || [ ! -e /dev/kvm ] || exit 1
dmesg | grep -qF "$1"
"""


def refusal_run(refusal, directory):
    """Returns the box's options and the command in it.  What it needs is written to the
    directory."""
    options = list(refusal.options)
    if refusal.rules:
        file = pathlib.Path(directory, "refusal.rules")
        file.write_text(refusal.rules)
        options += ["--profile", f"1.5.06,rules={file}"]
    return options, ["sh", "-c", CHECK_REFUSAL, "-", refusal.message]


def refused(refusal, status):
    """Is the box's exit status right?"""
    return status == (STATUS_KERNEL if refusal.complains else 0)
