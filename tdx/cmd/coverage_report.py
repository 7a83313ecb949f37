# SPDX-License-Identifier: GPL-2.0
"""What "make coverage" prints: of the files about TDX the lines that were not reached, of
tdx.c the branches, and of KVM's other files the checks that refuse a protected guest.
tdx/unreached has a reason for each.

A branch is what gcc makes a conditional jump of: each outcome that no run had is missed,
if the line itself was reached, and in each place where the function was inlined.  Only
decisions count: if, loops, switch, &&, || and ?:.  An assertion (WARN_ON, KVM_BUG_ON,
TDX_BUG_ON) is none: it must not fail, and where a failed one leads to is lines.

A check is an if, return or the like that asks whether the guest's state is protected.
It is reached if it was true for some guest."""

import re

# Whose lines are listed, in the order of the sums.
WHOLE = ["arch/x86/kvm/vmx/main.c", "arch/x86/virt/vmx/tdx/tdx.c",
         "arch/x86/virt/vmx/tdx/seamldr.c", "drivers/virt/coco/tdx-host/tdx-host.c",
         "arch/x86/kvm/vmx/tdx.c"]
TDX_C = WHOLE[-1]
# Whose checks are listed.
CHECKED = [f"arch/x86/kvm/{name}.c" for name in
           ("x86", "regs", "msrs", "irq", "lapic", "mmu/mmu", "mmu/page_track",
            "vmx/pmu_intel", "vmx/posted_intr")]

# Of main.c, which decides for each VM between TDX and VMX, lines that are not about TDX:
# calls of VMX, and where functions begin and end.
NOT_TDX = {"arch/x86/kvm/vmx/main.c": re.compile(r"[a-z}]|.*\bvmx_")}

CHECK = re.compile(r"(!?)\s*[\w>.\-()]*\b(guest_state_protected|has_protected_(?:state|eoi|pmu)|"
                   r"guest_apic_protected|guest_tsc_protected|is_td_vcpu|is_td|"
                   r"vm_type == KVM_X86_TDX_VM)\b")
DECISION = re.compile(r"(?:\} )?(?:else )?(?:if|for|while|switch)\b|.*(?:&&|\|\||\?)")
ASSERTION = re.compile(r"\b(?:WARN_ON|WARN|KVM_BUG_ON|TDX_BUG_ON|lockdep_\w+|BUILD_BUG_ON|"
                       r"\w*for_each_\w+|trace_\w+|min_t)")


def files():
    return WHOLE + CHECKED


def ranges(lines):
    """[1, 2, 3, 7] -> "1-3, 7" """
    runs = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def functions_of_lines(text):
    """Returns the function that each line of a C file is in, by number; gcov knows
    only those that were not inlined."""
    names = {}
    name = "?"
    for number, line in enumerate(text.splitlines(), 1):
        start = re.match(r"[a-z_].*?(\w+)\(", line)
        if start and not line.endswith(";"):
            name = start[1]
        names[number] = name
    return names


def without_comments(text):
    """Returns C without comments and the contents of strings; its lines stay lines."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"',
                  lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.S)


def statements_of_lines(text):
    """Returns the statement that each line of a C file is in, by number, as the numbers
    of its first and last line and its text.  An if ends with its condition."""
    found = {}
    lines = without_comments(text).splitlines()
    number = 0
    while number < len(lines):
        first = number
        whole = lines[number].strip()
        while whole.count("(") > whole.count(")") and number + 1 < len(lines):
            number += 1
            whole += " " + lines[number].strip()
        # A return or an assignment may go on behind its parentheses.
        while re.match(r"return\b|\w[\w>.\-\[\]]* = ", whole) and ";" not in whole and \
                number + 1 < len(lines):
            number += 1
            whole += " " + lines[number].strip()
        for line in range(first, number + 1):
            found[line + 1] = (first + 1, number + 1, whole)
        number += 1
    return found


def read_reasons(text):
    """Returns the reasons in tdx/unreached, by section: in those for branches by function
    and text, in others by function."""
    reasons = {}
    section = reasons.setdefault("", {})
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            section = reasons.setdefault(line.strip("[]"), {})
            continue
        branch = re.match(r"(\w+): `(.*?)`: (.*)", line)
        if branch:
            section[branch[1], branch[2]] = branch[3].strip()
        else:
            function, reason = line.split(":", 1)
            section[function.strip()] = reason.strip()
    return reasons


NO_REASON = "NO REASON GIVEN"


class File:
    """What was counted in one file."""

    def __init__(self, path, data, text):
        self.path = path
        self.text = text.splitlines()
        self.lines = {line["line_number"]: line for line in data["lines"]
                      if not line.get("gcovr/noncode") and self.is_about_tdx(line["line_number"])}
        self.functions = functions_of_lines(text)
        self.statements = statements_of_lines(text)

    def is_about_tdx(self, number):
        return self.path not in NOT_TDX or not NOT_TDX[self.path].match(self.text[number - 1])

    def count(self, number):
        return self.lines[number]["count"] if number in self.lines else 0

    def sum(self):
        """Returns how many lines were reached, and of how many."""
        return sum(1 for line in self.lines.values() if line["count"]), len(self.lines)

    def missed_lines(self):
        """Returns lists of numbers, by function."""
        missed = {}
        for number in sorted(self.lines):
            if not self.count(number):
                missed.setdefault(self.functions[number], []).append(number)
        return missed

    def decisions(self):
        """Yields the number of each line that has branches, and their counts."""
        for number in sorted(self.lines):
            text = self.statements[number][2]
            counts = [branch["count"] for branch in self.lines[number].get("branches", [])]
            if counts and DECISION.match(text) and not ASSERTION.search(text):
                yield number, counts

    def branch_sum(self):
        counts = [count for _, counts in self.decisions() for count in counts]
        return sum(1 for count in counts if count), len(counts)

    def missed_branches(self):
        """Returns the function, number and text of lines with an outcome that was not."""
        return [(self.functions[number], number, self.text[number - 1].strip())
                for number, counts in self.decisions()
                if self.count(number) and not all(counts)]

    def checks(self):
        """Yields the number of each check, and whether it was true for some guest."""
        seen = set()
        for number, line in enumerate(self.text, 1):
            first, last, text = self.statements[number]
            check = CHECK.search(text)
            if not CHECK.search(without_comments(line)) or first in seen or "(" not in text \
                    or not re.match(r"\s", line):
                continue
            seen.add(first)
            counted = [at for at in range(first, last + 1) if at in self.lines]
            if not counted:
                continue    # a declaration, or nothing that was compiled
            evaluated = max(self.count(at) for at in counted)
            yield first, self.was_true(last, text, evaluated, check[1] == "!")

    def was_true(self, last, text, evaluated, negated):
        if not re.match(r"(?:\} )?(?:else )?if\b", text):
            return evaluated > 0
        guarded = next((at for at in range(last + 1, last + 6) if at in self.lines), None)
        count = self.count(guarded) if guarded else 0
        return evaluated > count if negated else count > 0


class Report:
    def __init__(self, linux, data, reasons):
        self.reasons = read_reasons(reasons)
        self.files = {}
        for path in files():
            counted = next((f for f in data["files"] if f["file"].endswith(path)), None)
            if counted:
                self.files[path] = File(path, counted, (linux / path).read_text())
        if TDX_C not in self.files:
            raise SystemExit(f"coverage: nothing was counted in {TDX_C}")

    def reason(self, section, function):
        return self.reasons.get(section, {}).get(function, NO_REASON)

    def branch_reason(self, path, function, text):
        for (name, part), reason in self.reasons.get(f"branches of {path}", {}).items():
            if name == function and (part in text or part == "*"):
                return reason
        return NO_REASON

    def missed(self, with_reasons=True):
        """Returns the lines to print of what was not reached."""
        lines = []

        def add(what, reason):
            lines.append(f"{what}: {reason}" if with_reasons else what)

        for path in [path for path in WHOLE if path in self.files]:
            lines.append(f"# lines of {path}")
            for function, numbers in self.files[path].missed_lines().items():
                add(f"{function}() {ranges(numbers)}", self.reason(path, function))
        lines.append(f"# branches of {TDX_C}")
        for function, number, text in self.files[TDX_C].missed_branches():
            add(f"{function}() {number} `{text}`",
                self.branch_reason(TDX_C, function, text))
        lines.append("# checks for a protected guest")
        for path in [path for path in CHECKED if path in self.files]:
            file = self.files[path]
            for number, reached in file.checks():
                function = file.functions[number]
                if not reached:
                    add(f"{path}:{number} {function}()", self.reason(path, function))
        return lines

    def sums(self, alone=None):
        """Returns the last lines.  alone is a report of the suite alone."""
        lines = []
        checks = [reached for path in CHECKED if path in self.files
                  for _, reached in self.files[path].checks()]
        lines.append(f"checks for a protected guest: {sum(checks)} of {len(checks)}")
        reached, number = self.files[TDX_C].branch_sum()
        lines.append(f"branches of {TDX_C}: {share(reached, number)}")
        for path in [path for path in WHOLE if path in self.files]:
            text = f"{path}: {share(*self.files[path].sum(), 'lines ')}"
            if alone and path in alone.files:
                text += f", by the suite alone {alone.files[path].sum()[0]}"
            lines.append(text)
        return lines


def share(reached, number, what=""):
    return f"{reached} of {number} {what}({100 * reached / max(number, 1):.1f}%)"
