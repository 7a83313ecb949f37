# SPDX-License-Identifier: GPL-2.0
"""--profile FILE: a module in the box that is like the one that x86/tdx_profile recorded.

The box runs the release that is nearest to the recording, and records it.  What differs
becomes rules for the module (tdx/module/rules.h), in rounds, until there is no rule for
what is left.  Most rules need no knowledge of the module: an MSR that does not do what
was recorded gets the rule of another one that does."""

import collections
import os
import re
from math import gcd

import cache
import recording
from outcome import Failure
from parts import parts
from process import say
from recording import number

REGISTERS = ["EAX", "EBX", "ECX", "EDX"]
ALL32 = (1 << 32) - 1
MAX_ROUNDS = 6

MAX_KEYIDS = 31

# Facts about the kernel and the machine, which are not the module's.
OF_THE_KERNEL = re.compile(r"host\.(kernel|cpu|microcode|cpus)|kvm\.cap\..*|"
                           r"kvm\.(kernel|user)_tdvmcallinfo_.*")


def change(name, have, want):
    """A rule about bits of the profile's number, or nothing if it is right."""
    if have != want:
        yield f"profile {name} {have & ~want:#x} {want & ~have:#x}"


# The profile's numbers.

def version(facts):
    """Returns major, minor and update version, which are None if they are not known.  The
    guest can't read the last."""
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})", facts.get("host.module", ""))
    if match:
        return tuple(map(int, match.groups()))
    return (*(number(facts, f"all.sys.{part}_VERSION", None) for part in ("MAJOR", "MINOR")),
            None)


def version_rule(want, have):
    found = version(have)
    wanted = tuple(own if part is None else part for part, own in zip(version(want), found))
    if wanted != found and None not in wanted:
        yield f"version {wanted[0]} {wanted[1]} {wanted[2]}"


def numbers(want, have):
    yield from version_rule(want, have)
    for name, rule in (("all.sys.TDX_FEATURES0", "features0"),
                       ("kvm.supported_attrs", "attributes"),
                       ("all.td.TD_CTLS.writable", "td-ctls"),
                       ("kvm.gpa_width_52", "ept-5-levels")):
        yield from change(rule, number(have, name), number(want, name))
    lacks = number(have, "kvm.supported_xfam") & ~number(want, "kvm.supported_xfam")
    if lacks:
        yield f"profile xfam-lacks 0x0 {lacks:#x}"
    keyids = min(number(want, "host.keyids"), MAX_KEYIDS)
    if keyids and keyids != number(have, "host.keyids"):
        yield f"profile tdx-keyids 0xff {keyids + 1:#x}"


# The CPU.

def leaf_of(name):
    """Returns leaf and subleaf in the name of a fact, such as cpu.cpuid.0xd.1."""
    match = re.fullmatch(r".*\.cpuid\.0x([0-9a-f]{1,8})\.(\d{1,4})", name)
    if not match:
        raise ValueError(f"no leaf of CPUID: {name}")
    return int(match[1], 16), int(match[2])


def registers(facts, name):
    """The four registers, which are 0 if they were not worth a line."""
    values = facts.get(name, "0 0 0 0").split()
    if len(values) != 4:
        raise ValueError(f"not four registers: {name}")
    return [int(value, 0) & ALL32 for value in values]


# Registers in which each bit is a feature.  The box's CPU can lack one, but not get one
# that it can't execute.
FEATURES = {(1, 0): "ECX EDX", (7, 0): "EBX ECX EDX", (7, 1): "EAX EBX ECX EDX", (7, 2): "EDX",
            (0xd, 0): "EAX EDX", (0xd, 1): "EAX ECX", (0x80000001, 0): "ECX EDX",
            (0x80000007, 0): "EDX", (0x80000008, 0): "EBX"}
# Leaves, without these registers, that describe the CPU, and that nothing depends on.
DESCRIPTIONS = {0, 1, 2, 4, 0x15, 0x16, 0x18, 0x1a, *range(0x80000002, 0x80000007)}
# Leaves that follow from the machine's own CPUs, XCR0 and memory.
OF_THE_MACHINE = {0xb, 0xd, 0x1f, 0x80000008}


def register_rule(leaf, subleaf, register, want, have):
    """A register of the CPU's: a rule, or nothing if it is right or can't be had."""
    place = f"cpu {leaf:#x} {subleaf} {register}"
    if register in FEATURES.get((leaf, subleaf), "").split():
        if have & ~want:
            yield f"{place} {have & ~want:#x} 0x0"
    elif leaf in DESCRIPTIONS or not (want or leaf in OF_THE_MACHINE):
        if want != have:
            yield f"{place} {ALL32:#x} {want:#x}"


def model(facts):
    eax = registers(facts, "cpu.cpuid.0x1.0")[0]
    return eax >> 12 & 0xf0 | eax >> 4 & 0xf


def family_model(want, have):
    """The CPU's model decides about errata."""
    if model(want) != model(have):
        yield f"profile cpu-model 0xff {model(want):#x}"


def tsc(want, have):
    """The TSC's frequency: that of the crystal in leaf 0x15, or what KVM says."""
    denominator, numerator, crystal, _ = registers(want, "cpu.cpuid.0x15.0")
    if denominator and numerator and crystal:
        hz, per = crystal * numerator, denominator * 10 ** 9
    else:
        hz, per = number(want, "kvm.tsc_khz"), 10 ** 6
    if hz and abs(hz * 10 ** 6 // per - number(have, "kvm.tsc_khz")) > 1:
        for name, value in ("tsc-num", hz), ("tsc-den", per):
            yield f"profile {name} {ALL32:#x} {value // gcd(hz, per):#x}"


def cpu(want, have):
    yield from family_model(want, have)
    yield from tsc(want, have)
    names = [name for name in {**want, **have} if str(name).startswith("cpu.cpuid.")]
    for name in names:
        leaf, subleaf = leaf_of(name)
        for register, value, old in zip(REGISTERS, registers(want, name),
                                        registers(have, name)):
            yield from register_rule(leaf, subleaf, register, value, old)


# A TD's CPUID, as the host sees it.

CPUID = re.compile(r"td\.cpuid\.(0x[0-9a-f]{1,8}\.\d{1,4})\.(E[A-D]X)\."
                   r"([a-z_]+|xfam\.[a-z0-9]+|attribute\.\d{1,2})")
COMPONENTS = {"avx": 0x4, "avx512": 0xe4, "pt": 0x100, "pkru": 0x200, "cet": 0x1800,
              "uintr": 0x4000, "lbr": 0x8000, "amx": 0x60000}
# Registers that the module computes, from what has its own rules.
COMPUTED = {(0x1, "EAX"), (0x15, "EBX"), (0xd, "EBX"), (0xd, "ECX"), (0x80000008, "EAX")}
COMPUTED_LEAVES = {0xb, 0x1f}


def td_cpuid(facts):
    """Returns what is known of each leaf: by leaf, register and kind, a mask or value."""
    leaves = {}
    for name, value in facts.items():
        match = CPUID.fullmatch(name) if isinstance(name, str) else None
        if match:
            leaf, register, kind = match.groups()
            leaves.setdefault(leaf, {}).setdefault(register, {})[kind] = int(value, 0)
    return leaves


def decision(register, bit):
    """What decides a bit: words of a rule, or None if there is no rule for that."""
    mask = 1 << bit
    if any(register.get(kind, 0) & mask for kind in ("runtime", "other", "no_effect")):
        return None
    if register.get("config", 0) & mask:
        return "configured"
    value = register.get("value", 0) & mask
    changes = [kind for kind, changed in register.items()
               if kind.startswith(("xfam.", "attribute.")) and (changed ^ value) & mask]
    if value:
        return None if changes else "fixed"
    if not changes:
        return "cleared"
    kind, name = changes[0].split(".")
    if kind == "attribute":
        return f"attributes {1 << int(name):#x}"
    return f"xfam {COMPONENTS[name]:#x}" if name in COMPONENTS else None


def bit_rules(leaf, name, want, have):
    """Rules for the bits of a register that are decided otherwise; have is None if the
    box's TD does not have the leaf."""
    masks = collections.Counter()
    for bit in range(32):
        how = decision(want, bit)
        if how and (have is None or how != decision(have, bit)):
            masks[how] |= 1 << bit
    place = " ".join(leaf.split("."))
    for how, mask in masks.items():
        what = {"fixed": f"fixed {mask:#x}", "cleared": "fixed 0x0"}.get(how, how)
        yield f"cpuid {place} {name} {mask:#x} {what}"


def last_levels(want, have):
    """Whether levels of the topology that do not exist have a number."""
    wanted, found = (number(facts, "td.cpuid.0xb.2.ECX.value") for facts in (want, have))
    if wanted != found and 0 in (wanted, found):
        yield f"last-levels {int(wanted != 0)}"


def td_leaves(want, have):
    wanted, found = td_cpuid(want), td_cpuid(have)
    yield from last_levels(want, have)
    for leaf, of_leaf in wanted.items():
        number = int(leaf.split(".")[0], 16)
        if number in COMPUTED_LEAVES:
            continue
        for name, register in of_leaf.items():
            if (number, name) not in COMPUTED:
                yield from bit_rules(leaf, name, register, found.get(leaf, {}).get(name))
    for leaf in found:
        if leaf not in wanted:
            yield f"faults {' '.join(leaf.split('.'))} always"


# What the guest sees in each state.

STATES = re.compile(r"((?:all|none)\.[a-z0-9.]+?)\.(cpuid|insn)\.(.+)")


def states(facts):
    return {match[1] for match in map(STATES.fullmatch, filter(
        lambda name: isinstance(name, str), facts)) if match}


def outcomes(facts, common, kind):
    """Returns for each leaf or instruction what came of it in each state."""
    found = {}
    for name, value in facts.items():
        match = STATES.fullmatch(name) if isinstance(name, str) else None
        if match and match[2] == kind and match[1] in common:
            if kind == "cpuid":
                value = value == "#VE"
            found.setdefault(match[3], {})[match[1]] = value
    return {name: tuple(by_state.get(state) for state in common)
            for name, by_state in found.items()}


def leaf_faults(want, have, common):
    wanted, found = (outcomes(facts, common, "cpuid") for facts in (want, have))
    like = {}
    for leaf, pattern in found.items():
        if leaf.endswith(".0"):
            like.setdefault(pattern, leaf.split(".")[0])
    in_table = td_cpuid(want)
    for leaf, pattern in wanted.items():
        if leaf in in_table and pattern != found.get(leaf) and pattern in like:
            yield f"faults {' '.join(leaf.split('.'))} {like[pattern]}"


# Names of the trace; I/O is one exit reason.
INSTRUCTIONS = ("GETSEC HLT INVD RDPMC RSM VMCALL VMCLEAR VMLAUNCH VMPTRLD VMPTRST VMREAD "
                "VMRESUME VMWRITE VMXOFF VMXON MWAIT MONITOR INVEPT INVVPID WBINVD VMFUNC "
                "ENCLS PCONFIG UMWAIT TPAUSE LOADIWKEY ENCLV ENQCMD ENQCMDS SEAMCALL").split()


def instructions(want, have, common):
    wanted, found = (outcomes(facts, common, "insn") for facts in (want, have))
    like = {}
    for name in INSTRUCTIONS:
        like.setdefault(found.get(name), name)
    for name, recorded in [(name, name) for name in INSTRUCTIONS] + [("IO", "IN")]:
        pattern = wanted.get(recorded)
        if pattern and pattern != found.get(recorded) and pattern in like:
            yield f"instruction {name} {like[pattern]}"


ACCESS = re.compile(r"rdmsr (.+), wrmsr (.+)")


class Msrs:
    """What a recording says of each MSR, in the states that both recordings have."""

    def __init__(self, facts, common):
        self.reads, self.writes, self.values = {}, {}, {}
        self.bits = {}
        prefixes = [f"{state}.msr." for state in common]
        for msr in {name[1] for name in facts if isinstance(name, tuple)}:
            texts = [ACCESS.fullmatch(facts.get((prefix, msr), "rdmsr -, wrmsr -"))
                     for prefix in prefixes]
            reads = [text[1] if text else "-" for text in texts]
            self.values[msr] = {int(read, 16) for read in reads if read.startswith("0x")}
            self.reads[msr] = tuple("value" if read.startswith("0x") else read
                                    for read in reads)
            self.writes[msr] = tuple(text[2] if text else "-" for text in texts)
            self.bits[msr] = tuple(facts.get(f"{prefix}{msr:#x}.bits") for prefix in prefixes)

    def differs(self, msr, other):
        return any(getattr(self, what).get(msr) != getattr(other, what).get(msr)
                   for what in ("reads", "writes", "values", "bits"))


def most_usual(of_msr):
    """Returns for each pattern the MSR to be like: the first of the longest range that
    has it, as an MSR of its own may have a rule of its own."""
    longest = {}
    first = length = 0
    for msr in sorted(of_msr):
        same = msr == first + length and of_msr[msr] == of_msr[first]
        first, length = (first, length + 1) if same else (msr, 1)
        longest[of_msr[msr]] = max(longest.get(of_msr[msr], (0, 0)), (length, first))
    return {pattern: first for pattern, (_, first) in longest.items()}


def msr_rule(msr, want, have, read_like, write_like):
    """Returns what follows the MSRs in a rule, or None."""
    read = msr if want.reads[msr] == have.reads.get(msr) else read_like.get(want.reads[msr])
    pattern = want.writes[msr], want.bits[msr]
    write = msr if pattern == (have.writes.get(msr), have.bits.get(msr)) else \
        write_like.get(pattern, write_like.get((want.writes[msr], None)))
    if read is None or write is None:
        return None
    if want.values[msr] and want.values[msr] != have.values.get(read):
        if len(want.values[msr]) > 1:
            return None
        return f"{read:#x} {write:#x} {min(want.values[msr]):#x}"
    return f"{read:#x} {write:#x}"


def msrs(want, have, common):
    wanted, found = Msrs(want, common), Msrs(have, common)
    read_like = most_usual(found.reads)
    write_like = most_usual({msr: (found.writes[msr], found.bits[msr]) for msr in found.writes})
    for pattern, msr in most_usual(found.writes).items():
        write_like.setdefault((pattern, None), msr)
    run = []    # MSRs with one rule
    for msr in sorted(wanted.reads):
        rule = wanted.differs(msr, found) and msr_rule(msr, wanted, found, read_like, write_like)
        if run and (rule != run[2] or msr != run[1] + 1):
            yield f"msr {run[0]:#x} {run[1]:#x} {run[2]}"
            run = []
        if rule:
            run = [run[0] if run else msr, msr, rule]
    if run:
        yield f"msr {run[0]:#x} {run[1]:#x} {run[2]}"


# Metadata.

NAMED_FIELDS = {"BUILD_DATE": 0x0800000100000001, "BUILD_NUM": 0x0800000100000002,
                "VENDOR_ID": 0x0800000200000000, "SYS_ATTRIBUTES": 0x0a00000200000000,
                "NUM_TDX_FEATURES": 0x0a00000000000001}


def fields(want, have):
    for name, value in want.items():
        if not isinstance(name, str) or not name.startswith("all.sys.") or \
                have.get(name) == value:
            continue
        field = name.removeprefix("all.sys.")
        if field.startswith("0x") or field in NAMED_FIELDS:
            yield f"field {NAMED_FIELDS.get(field) or int(field, 16):#x} {number(want, name):#x}"


def rules(want, have):
    """Returns rules for what differs.  The tables follow from CPU and profile, so their
    turn comes when these are right."""
    found = [*cpu(want, have), *numbers(want, have)]
    if found:
        return found
    common = sorted(states(want) & states(have))
    return [*td_leaves(want, have), *leaf_faults(want, have, common),
            *instructions(want, have, common), *msrs(want, have, common), *fields(want, have)]


def of_module(facts):
    return {name: value for name, value in facts.items()
            if not isinstance(name, str) or not OF_THE_KERNEL.fullmatch(name)}


def left_over(want, have):
    return list(recording.differences(of_module(want), of_module(have)))


def nearest(want, releases, record):
    """Returns the release with the nearest version.  If the recording's is not known in
    full, that with the fewest differences."""
    major, minor, update = version(want)
    if major is None or minor is None:
        raise Failure("a recording without the module's version")

    def distance(name):
        numbers = [int(part) for part in name.split(".")]
        far = len(left_over(want, record(name))) if update is None else abs(numbers[2] - update)
        return abs(numbers[0] - major), abs(numbers[1] - minor), far

    return min(releases, key=distance)


def adapt(want, releases, record, directory):
    """Writes to the directory what makes the box like the recording: the name of the
    release that is nearest, rules, and the differences that are left.  record(profile)
    records a module."""
    name = nearest(want, releases, record)
    chosen = []
    path = os.path.join(directory, "rules")
    for _ in range(MAX_ROUNDS):
        with open(path, "w") as file:
            file.write("".join(f"{rule}\n" for rule in chosen))
        have = record(f"{name},rules={path}")
        new = [rule for rule in rules(want, have) if rule not in chosen]
        if not new:
            break
        chosen += new
    with open(os.path.join(directory, "release"), "w") as file:
        file.write(f"{name}\n")
    with open(os.path.join(directory, "left"), "w") as file:
        file.write("".join(f"{line}\n" for line in left_over(want, have)))


# The cache.

RELEASE = re.compile(r"(\d+\.\d+\.\d+) ", re.M)
MEGABYTES = 16


def releases(qemu):
    """The names of the releases that the module knows."""
    return RELEASE.findall((qemu / "profile.help").read_text())


def entry(path, facts, qemu):
    """Returns the directory of what adapt() writes, from the cache."""
    found = parts(["kernel", "init", "tests"], ["x86/tdx_profile"])
    name = cache.hash_of(sorted(facts.items(), key=str), cache.hash_file(__file__), qemu.name,
                         *(found[part].name for part in ("kernel", "init", "tests")))

    def make(new, _work):
        say(f"tdx: making the box like {path} ...")
        try:
            adapt(facts, releases(qemu),
                  lambda profile: recording.record(profile, facts), new)
        except ValueError as error:
            raise Failure(f"{path} is not a recording: {error}")

    return cache.entry(f"likeness/{name}", MEGABYTES, make)


def profile(path, facts, qemu):
    """Returns the profile that is like a recording.  Says what is not like it."""
    directory = entry(path, facts, qemu)
    count = len((directory / "left").read_text().splitlines())
    if count:
        what = "fact of {} is" if count == 1 else "facts of {} are"
        say(f"tdx: {count} {what.format(path)} not as recorded (tdx/box diff {path})")
    return f"{(directory / 'release').read_text().strip()},rules={directory / 'rules'}"


def left(path, facts):
    """Returns a line for each fact that the box can't make like the recording."""
    directory = entry(path, facts, parts(["qemu"])["qemu"])
    return (directory / "left").read_text().splitlines()
