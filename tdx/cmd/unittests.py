# SPDX-License-Identifier: GPL-2.0
"""unittests [PATTERN] [NAME]...: runs the tests in test/ and prints TAP.  PATTERN is
that of their files (test*.py); NAME is a part of a test's name."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))


class TapResult(unittest.TestResult):
    """Prints a line for each test as it ends."""

    def __init__(self, stream, total):
        super().__init__()
        self.stream = stream
        self.number = 0
        self.of_subtests = ""
        self.write("TAP version 13")
        self.write(f"1..{total}")

    def write(self, line):
        print(line, file=self.stream, flush=True)

    def report(self, test, ok, comment="", details=""):
        self.number += 1
        kind = type(test).__name__
        name = (test.shortDescription() or
                getattr(test, "_testMethodName", str(test)).removeprefix("test_").replace("_", " "))
        self.write(f"{'ok' if ok else 'not ok'} {self.number} {kind}: {name}{comment}")
        for line in details.splitlines():
            self.write(f"#   {line}")

    def addSuccess(self, test):
        self.report(test, True)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.report(test, False, details=self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.report(test, False, details=self.errors[-1][1])

    def addSkip(self, test, reason):
        self.report(test, True, f" # SKIP {reason}")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            known = self.failures if issubclass(error[0], test.failureException) else self.errors
            self.of_subtests += f"{subtest.id()}\n{known[-1][1]}"

    def stopTest(self, test):
        # A test with failed subtests is neither a success nor a failure to the base
        # class.
        if self.of_subtests:
            self.report(test, False, details=self.of_subtests)
            self.of_subtests = ""


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def main(arguments):
    pattern, *names = arguments or ["test*.py"]
    directory = os.path.join(HERE, "test")
    sys.path.insert(0, HERE)
    tests = list(flatten(unittest.TestLoader().discover(directory, pattern)))
    if names:
        tests = [test for test in tests if any(name in test.id() for name in names)]
    if not tests:
        sys.exit(f"unittests: no tests in {pattern}")
    result = TapResult(sys.stdout, len(tests))
    unittest.TestSuite(tests).run(result)
    return 0 if result.wasSuccessful() else 1
