# SPDX-License-Identifier: GPL-2.0
"""Reads KTAP as the suite's runner, the kernel's own runner and other programs print
it, and tells what became of each case.

The kernel tree's kunit_parser.py does not serve: to it an XFAIL is a success, whose
reason it drops; it wants the whole stream before it tells anything; and a machine
with TDX may have no kernel tree.  It counts the same cases, which a test checks."""

import re

RESULTS = ["pass", "fail", "xfail", "xpass", "skip", "error"]

RESULT = re.compile(r"(not )?ok(?: ([0-9]{1,9}))?(?: -)?(?: (.*))?")
DIRECTIVE = re.compile(r"# *(SKIP|XFAIL|XPASS)\b:? *(.*)", re.IGNORECASE)
TITLE = re.compile(r"(?:# )?(?:Subtest: )?selftests: (.*)")
PLAN = re.compile(r"1\.\.([0-9]{1,9})\b")
PREFIX = "selftests: kvm: "

# The stream comes from inside the box, so what is kept of it is bounded.
MAX_LINE = 4000
MAX_CASES = 100000


class Case:
    def __init__(self, test, name, result, reason=""):
        self.test = test        # the program that it is part of; "" if it stands alone
        self.name = name        # "" for the program as such
        self.result = result    # one of RESULTS
        self.reason = reason

    def __str__(self):
        return " ".join(part for part in (self.test, self.name) if part)


def parse_result(line):
    """Takes a line.  Returns a Case, or None if it is no result."""
    match = RESULT.fullmatch(line)
    if not match:
        return None
    name, _, rest = (match[3] or "").partition(" #")
    if (match[3] or "").startswith("#"):
        name, rest = "", match[3][1:]
    directive = DIRECTIVE.fullmatch("#" + rest) if rest else None
    # A failure is one whatever is said about it.
    if not directive or match[1]:
        return Case("", name.strip(), "fail" if match[1] else "pass", rest.strip())
    return Case("", name.strip(), directive[1].lower(), directive[2])


class Reader:
    def __init__(self):
        self.cases = []
        self.planned = None     # programs, or cases if there are no programs
        self.results = 0        # of those
        self.test = ""          # that the lines to come are of
        self.nested = []        # its cases

    def feed(self, line):
        """Takes a line without its end."""
        line = line[:MAX_LINE]
        title = TITLE.fullmatch(line.strip())
        if title:
            self.test = title[1].rpartition(": ")[2]
        elif line.startswith((" ", "\t")):
            self.take_nested(line.strip())
        elif line.startswith("# "):
            # The kernel's own runner.
            self.take_nested(line[2:])
        else:
            self.take(line)

    def take_nested(self, line):
        case = parse_result(line)
        if case and len(self.cases) + len(self.nested) < MAX_CASES:
            case.test = self.test
            self.nested.append(case)

    def take(self, line):
        plan = PLAN.match(line)
        if plan and self.planned is None:
            self.planned = int(plan[1])
        result = parse_result(line)
        if not result:
            return
        self.results += 1
        if not result.name.startswith(PREFIX) and not self.nested:
            self.add(result)
            return
        result.test = result.name.removeprefix(PREFIX)
        result.name = ""
        for case in self.nested:
            case.test = result.test
            self.add(case)
        if not self.nested:
            self.add(result)
        elif result.result == "fail" and not any(c.result == "fail" for c in self.nested):
            self.add(Case(result.test, "", "error", result.reason))
        self.nested = []
        self.test = ""

    def add(self, case):
        if len(self.cases) < MAX_CASES:
            self.cases.append(case)

    def finish(self):
        """The stream ended, maybe in the middle of a program."""
        for case in self.nested:
            self.add(case)
        self.nested = []

    def of(self, *results):
        return [case for case in self.cases if case.result in results]

    def failures(self):
        return self.of("fail", "error")

    def totals(self):
        return {result: len(self.of(result)) for result in RESULTS}


def read(lines):
    """Returns a Reader of all lines."""
    reader = Reader()
    for line in lines:
        reader.feed(line.rstrip("\n"))
    reader.finish()
    return reader


def totals_line(totals):
    """As the kernel's selftests end."""
    return "# Totals: " + " ".join(f"{result}:{totals[result]}" for result in RESULTS)


def summary(reader):
    """Returns the lines that end a run: what failed, known bugs, and the totals."""
    lines = []
    failures = reader.failures()
    known = reader.of("xfail")
    if known:
        lines.append("# Known bugs of KVM:")
        lines += [f"#   {case}: {case.reason}" for case in known]
    if failures:
        lines.append("# Failed:")
        lines += [f"#   {case}" + (f": {case.reason}" if case.reason else "")
                  for case in failures]
    if reader.planned is not None and reader.results < reader.planned:
        lines.append(f"# Ended after {reader.results} of {reader.planned} tests.")
    return [*lines, totals_line(reader.totals())]
